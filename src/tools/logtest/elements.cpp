#include "logtest/elements.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace ospatrol::logtest {
namespace {

using config::Element;

const std::string* Attribute(const Element& element, std::string_view name) {
  for (const config::Attribute& attribute : element.attributes) {
    if (base::EqualsIgnoreCase(attribute.name, name)) return &attribute.value;
  }
  return nullptr;
}

bool HasId(const Element& element, int id) {
  const std::string* text = Attribute(element, "id");
  return text != nullptr && base::ParseNumber<int>(std::string_view(*text).substr(0, 6)) == id;
}

std::vector<const Element*> Named(const Element& parent, std::string_view name) {
  std::vector<const Element*> found;
  if (name.empty()) return found;
  for (const Element& child : parent.children) {
    if (base::EqualsIgnoreCase(child.name, name)) found.push_back(&child);
  }
  return found;
}

void Append(const analysisd::ConditionSpec& spec, bool pcre2, std::vector<const Element*> elements,
            std::vector<WrittenCondition>& made) {
  if (spec.repetition == analysisd::Repetition::kEach) {
    for (const Element* element : elements) made.push_back({&spec, pcre2, {element}});
  } else {
    made.push_back({&spec, pcre2, std::move(elements)});
  }
}

}  // namespace

const Element* ElementOf(const Documents& documents, const analysisd::Rule& rule) {
  for (const config::Document& document : documents.rules) {
    if (document.file != rule.file) continue;
    for (const Element& group : document.roots) {
      for (const Element& element : group.children) {
        if (element.line == rule.line && HasId(element, rule.id)) return &element;
      }
    }
  }
  return nullptr;
}

const Element* ElementOf(const Documents& documents, const analysisd::Decoder& decoder) {
  for (const config::Document& document : documents.decoders) {
    if (document.file != decoder.file) continue;
    for (const Element& element : document.roots) {
      const std::string* name = element.FindAttribute("name");
      if (element.line == decoder.line && name != nullptr && *name == decoder.declared_name) {
        return &element;
      }
    }
  }
  return nullptr;
}

std::string WrittenCondition::Text() const {
  if (spec->repetition == analysisd::Repetition::kLast) return elements.back()->content;
  std::string text;
  for (const Element* element : elements) text += element->content;
  return text;
}

std::vector<WrittenCondition> ConditionsOf(const Element& rule) {
  std::vector<WrittenCondition> made;
  for (const analysisd::ConditionSpec& spec : analysisd::ConditionTable()) {
    auto plain = Named(rule, spec.element);
    auto pcre2 = Named(rule, spec.twin);
    if (!plain.empty()) {
      Append(spec, false, std::move(plain), made);
    } else if (!pcre2.empty()) {
      Append(spec, true, std::move(pcre2), made);
    }
  }
  return made;
}

bool IsComparison(const Element& element) {
  const std::string name = base::ToLower(element.name);
  return name.starts_with("same_") || name.starts_with("different_");
}

int LineOf(const Element& element, std::initializer_list<std::string_view> names) {
  for (const Element& child : element.children) {
    if (std::ranges::any_of(names, [&](std::string_view name) {
          return base::EqualsIgnoreCase(child.name, name);
        })) {
      return child.line;
    }
  }
  return element.line;
}

}  // namespace ospatrol::logtest
