// <custom_alert_output>: a record in the user's own words (outputs-and-response 3.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"

namespace ospatrol::alert {

// A format taken apart once. Immutable, thread-safe.
class CustomFormat {
 public:
  // Tokens $TIMESTAMP $FTELL $RULEALERT $HOSTNAME $LOCATION $RULEID $RULELEVEL $SRCIP $DSTUSER
  // $FULLLOG $RULECOMMENT $RULEGROUP; everything else stands for itself.
  explicit CustomFormat(std::string_view format);

  // Appends the record and LF. Tokens inside values are not replaced.
  void Append(const AlertView& alert, std::string& out) const;

 private:
  struct Piece {
    int token;         // index of the token table, or -1
    std::string text;  // literal
  };
  std::vector<Piece> pieces_;
};

}  // namespace ospatrol::alert
