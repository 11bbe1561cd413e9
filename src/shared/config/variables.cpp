// <var> and $NAME of rule and decoder files (rules-and-decoders 4.1).
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/dialect.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

constexpr size_t kNeverScanned = 2;  // texts of up to this many bytes are left alone
constexpr size_t kMaxNameBytes = 255;

struct Variable {
  std::string name;
  std::string value;
};

bool EndsName(char c) { return c == '$' || c == '.' || c == '|' || c == ',' || base::IsSpace(c); }

bool IsName(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return base::IsAlnum(c) || c == '_' || c == '-'; });
}

// Walks the document in file order: a variable is known behind its definition only.
class Expander {
 public:
  Expander(std::string_view file, Problems& problems) : file_(file), problems_(problems) {}

  void Expand(std::vector<Element>& elements) {
    for (Element& element : elements) {
      if (element.name == "var") {
        Define(element);
        continue;
      }
      for (Attribute& attribute : element.attributes) Replace(attribute.value, element);
      Replace(element.content, element);
      Expand(element.children);
    }
    std::erase_if(elements, [](const Element& element) { return element.name == "var"; });
  }

 private:
  void Error(int line, std::string text, std::string remedy) {
    problems_.Error(msg::kXmlVariable.id, file_, line, std::move(text), std::move(remedy));
  }

  void Define(const Element& element) {
    if (element.attributes.empty() || element.attributes.front().name != "name") {
      Error(element.line, "<var> has no name", "expected name=\"...\" as its first attribute");
      return;
    }
    const std::string& name = element.attributes.front().value;
    if (!IsName(name) || name.size() > kMaxNameBytes) {
      Error(element.line, fmt::format("<var>: bad name '{}'", Show(name)),
            "expected 1 to 255 letters, digits, _ or -");
      return;
    }
    if (!element.children.empty()) {
      Error(element.line, fmt::format("<var name=\"{}\"> contains elements", name),
            "expected text only");
      return;
    }
    if (Find(name) == nullptr) variables_.push_back({name, element.content});
  }

  const Variable* Find(std::string_view name) const {
    const auto found = std::ranges::find_if(variables_, [&](const Variable& variable) {
      return base::EqualsIgnoreCase(variable.name, name);
    });
    return found == variables_.end() ? nullptr : &*found;
  }

  void Replace(std::string& text, const Element& element) {
    if (variables_.empty() || text.size() <= kNeverScanned) return;
    if (text.find('$') == std::string::npos) return;
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text[i] != '$') {
        out += text[i++];
        continue;
      }
      size_t end = i + 1;
      while (end < text.size() && !EndsName(text[end])) ++end;
      out += Value(std::string_view(text).substr(i, end - i), element);
      i = end;
    }
    text = std::move(out);
  }

  // `reference` includes the $. What is no name stays as it is.
  std::string_view Value(std::string_view reference, const Element& element) {
    const std::string_view name = reference.substr(1);
    if (!IsName(name)) return reference;
    if (const Variable* variable = Find(name)) return variable->value;
    std::vector<std::string_view> known;
    for (const Variable& variable : variables_) known.push_back(variable.name);
    Error(element.line,
          fmt::format("<{}>: variable ${} is not defined", Show(element.name), Show(name)),
          Suggest(name, known));
    return reference;
  }

  std::string_view file_;
  Problems& problems_;
  std::vector<Variable> variables_;
};

}  // namespace

void ExpandVariables(Document& document, Problems& problems) {
  Expander(document.file, problems).Expand(document.roots);
}

}  // namespace ospatrol::config
