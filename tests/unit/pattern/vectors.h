// Rows of tests/data/regex-vectors*.tsv: kind, pattern, input, matched, captures, end.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace ospatrol::pattern {

struct VectorRow {
  size_t line = 0;
  std::string kind;
  std::string pattern;
  std::string input;
  std::string matched;                // 1, 0, E
  std::vector<std::string> captures;  // none for "-"
  std::string end;                    // a number or "-"
};

inline std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

inline std::vector<VectorRow> ReadVectors(const std::string& file) {
  std::ifstream stream(std::string(OSPATROL_TEST_DATA) + "/" + file);
  std::vector<VectorRow> rows;
  std::string line;
  std::getline(stream, line);  // header
  for (size_t number = 2; std::getline(stream, line); ++number) {
    const auto cells = base::Split(line, '\t');
    if (cells.size() != 6) continue;
    VectorRow row{.line = number,
                  .kind = std::string(cells[0]),
                  .pattern = Unescape(cells[1]),
                  .input = Unescape(cells[2]),
                  .matched = std::string(cells[3]),
                  .captures = {},
                  .end = std::string(cells[5])};
    if (cells[4] != "-") {
      const std::string captures = Unescape(cells[4]);
      for (const auto piece : base::Split(captures, '\x1f')) row.captures.emplace_back(piece);
    }
    rows.push_back(row);
  }
  return rows;
}

// The reference's rows, with ours in place of those that answer the same question.
inline std::vector<VectorRow> RowsOfKind(std::string_view kind) {
  static const std::vector<VectorRow> kReference = ReadVectors("regex-vectors.tsv");
  static const std::vector<VectorRow> kOurs = ReadVectors("regex-vectors-ours.tsv");
  std::vector<VectorRow> rows;
  for (VectorRow row : kReference) {
    if (row.kind != kind) continue;
    for (const VectorRow& own : kOurs) {
      if (own.kind == row.kind && own.pattern == row.pattern && own.input == row.input) row = own;
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace ospatrol::pattern
