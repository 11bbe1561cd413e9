#include "alert/custom_record.h"

#include <array>
#include <iterator>

namespace ospatrol::alert {
namespace {

constexpr size_t kMaxValue = 1023;

struct Token {
  std::string_view name;
  void (*append)(const AlertView& alert, std::string& out);
};

void AppendValue(std::string_view value, std::string& out) { out += value.substr(0, kMaxValue); }

void AppendOrNone(std::string_view value, std::string& out) {
  AppendValue(value.empty() ? std::string_view("None") : value, out);
}

void AppendFullLog(const AlertView& alert, std::string& out) {
  if (alert.full_log.empty()) out += "None";
  for (const char c : alert.full_log) {
    if (c == '\n' || c == '\r') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string_view Id(const AlertView& alert) { return alert.id; }

constexpr std::array<Token, 12> kTokens{{
    {"$TIMESTAMP", [](const AlertView& a,
                      std::string& out) { AppendOrNone(Id(a).substr(0, Id(a).find('.')), out); }},
    {"$FTELL", [](const AlertView& a,
                  std::string& out) { AppendOrNone(Id(a).substr(Id(a).find('.') + 1), out); }},
    {"$RULEALERT",
     [](const AlertView& a, std::string& out) {
       if (a.mail) out += "mail ";
     }},
    {"$HOSTNAME", [](const AlertView& a, std::string& out) { AppendOrNone(a.hostname, out); }},
    {"$LOCATION", [](const AlertView& a, std::string& out) { AppendOrNone(a.location, out); }},
    {"$RULEID", [](const AlertView& a, std::string& out) { out += std::to_string(a.rule.id); }},
    {"$RULELEVEL",
     [](const AlertView& a, std::string& out) { out += std::to_string(a.rule.level); }},
    {"$SRCIP", [](const AlertView& a, std::string& out) { AppendOrNone(a.srcip, out); }},
    {"$DSTUSER", [](const AlertView& a, std::string& out) { AppendOrNone(a.dstuser, out); }},
    {"$FULLLOG", AppendFullLog},
    {"$RULECOMMENT",
     [](const AlertView& a, std::string& out) { AppendValue(a.rule.comment, out); }},
    {"$RULEGROUP", [](const AlertView& a, std::string& out) { AppendValue(a.rule.group, out); }},
}};

int TokenAt(std::string_view text) {
  for (size_t i = 0; i < kTokens.size(); ++i) {
    if (text.starts_with(kTokens[i].name)) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

CustomFormat::CustomFormat(std::string_view format) {
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) pieces_.push_back({-1, std::move(literal)});
    literal.clear();
  };
  while (!format.empty()) {
    const int token = TokenAt(format);
    if (token < 0) {
      literal += format.front();
      format.remove_prefix(1);
      continue;
    }
    flush();
    pieces_.push_back({token, {}});
    format.remove_prefix(kTokens[static_cast<size_t>(token)].name.size());
  }
  flush();
}

void CustomFormat::Append(const AlertView& alert, std::string& out) const {
  for (const Piece& piece : pieces_) {
    if (piece.token < 0) {
      out += piece.text;
      continue;
    }
    const size_t begin = out.size();
    kTokens[static_cast<size_t>(piece.token)].append(alert, out);
    // The format may have line feeds of its own; a value may not.
    for (size_t i = begin; i < out.size(); ++i) {
      if (out[i] == '\n' || out[i] == '\r' || out[i] == '\0') out[i] = ' ';
    }
  }
  out += '\n';
}

}  // namespace ospatrol::alert
