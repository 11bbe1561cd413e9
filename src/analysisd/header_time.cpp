#include "analysisd/header_time.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

// The text as the forms count it. A German "Mär" (C3 A4) takes four bytes for three characters, so
// behind it every position is one byte further; no form looks at position 1 of such a line.
class Positions {
 public:
  explicit Positions(std::string_view text)
      : text_(text), shift_(text.size() > 2 && text[1] == '\xC3' && text[2] == '\xA4' ? 1 : 0) {}

  size_t size() const { return text_.size() - shift_; }
  size_t shift() const { return shift_; }

  char At(size_t i) const {
    if (i > 0) i += shift_;
    return i < text_.size() ? text_[i] : '\0';
  }
  bool Has(char c, std::initializer_list<size_t> positions) const {
    for (const size_t i : positions) {
      if (At(i) != c) return false;
    }
    return true;
  }
  bool Digits(std::initializer_list<size_t> positions) const {
    return std::all_of(positions.begin(), positions.end(),
                       [&](size_t i) { return base::IsDigit(At(i)); });
  }

 private:
  std::string_view text_;
  size_t shift_;
};

HeaderTime Found(const Positions& at, HeaderFamily family, size_t skip) {
  return {family, std::min(skip, at.size()) + at.shift()};
}

// "Dec 29 10:00:01 "
HeaderTime Classic(const Positions& at) {
  if (at.size() < 17 || !at.Has(' ', {3, 6, 15}) || !at.Has(':', {9, 12})) return {};
  return Found(at, HeaderFamily::kSyslog, 16);
}

// "2015-04-16 21:51:02,805"
HeaderTime Proftpd(const Positions& at) {
  if (at.size() < 24 || !at.Has('-', {4, 7}) || !at.Has(' ', {10}) || !at.Has(':', {13, 16}) ||
      !at.Has(',', {19})) {
    return {};
  }
  return Found(at, HeaderFamily::kSyslog, 23);
}

// "2007-06-14T15:48:55-04:00 ", also with one to six digits of fraction
HeaderTime Iso(const Positions& at) {
  if (at.size() < 33 || !at.Has('-', {4, 7}) || !at.Has('T', {10}) || !at.Has(':', {13, 16})) {
    return {};
  }
  if (at.Has(':', {22}) && at.Has(' ', {25})) return Found(at, HeaderFamily::kSyslog, 26);
  if (at.At(19) != '.' && at.At(19) != ',') return {};
  for (size_t i = 24; i <= 29; ++i) {
    if (at.At(i) == ':') return Found(at, HeaderFamily::kSyslog, i + 3);
  }
  return {};
}

// "2015 Dec 29 10:00:01 "
HeaderTime YearFirst(const Positions& at) {
  if (at.size() < 21 || !at.Digits({0}) || !at.Has(' ', {4, 8, 11, 20}) || !at.Has(':', {14, 17})) {
    return {};
  }
  return Found(at, HeaderFamily::kSyslog, 21);
}

// "2019:11:06-00:08:03 "
HeaderTime Colons(const Positions& at) {
  if (at.size() < 20 || !at.Digits({0}) || !at.Has(':', {4, 7, 13, 16}) || !at.Has('-', {10})) {
    return {};
  }
  return Found(at, HeaderFamily::kSyslog, 20);
}

// "Mon Apr 17 18:27:14 2006 1 "; the blank behind the year stays
HeaderTime Xferlog(const Positions& at) {
  if (at.size() < 28 || !at.Has(' ', {3, 7, 10, 19, 24, 26}) || !at.Has(':', {13, 16})) return {};
  return Found(at, HeaderFamily::kTimeOnly, 24);
}

// "01/28-09:13:16.240702  "
HeaderTime Snort(const Positions& at) {
  if (at.size() < 24 || !at.Has('/', {2}) || !at.Has('-', {5}) || !at.Has(':', {8, 11}) ||
      !at.Has('.', {14}) || !at.Has(' ', {21})) {
    return {};
  }
  return Found(at, HeaderFamily::kTimeOnly, 23);
}

// "01/28/1979-09:13:16.240702  "
HeaderTime Suricata(const Positions& at) {
  if (at.size() < 26 || !at.Has('/', {2, 5}) || !at.Has('-', {10}) || !at.Has(':', {13, 16}) ||
      !at.Has('.', {19}) || !at.Has(' ', {26})) {
    return {};
  }
  return Found(at, HeaderFamily::kTimeOnly, 28);
}

// "[Fri Feb 11 18:06:35 2004] "
HeaderTime Apache(const Positions& at) {
  if (at.size() < 27 || !at.Has('[', {0}) || !at.Has(' ', {4, 8, 11, 20}) ||
      !at.Has(':', {14, 17}) || !at.Has(']', {25})) {
    return {};
  }
  return Found(at, HeaderFamily::kTimeOnly, 27);
}

// "[Time 2006.12.28 15:53:55 UTC] [Facility auth] "; skips to the zone
HeaderTime Asl(const Positions& at) {
  if (at.size() < 26 || !at.Has('[', {0}) || !at.Has('T', {1}) || !at.Has(' ', {5, 16}) ||
      !at.Has('.', {10, 13}) || !at.Has(':', {19})) {
    return {};
  }
  return Found(at, HeaderFamily::kAsl, 25);
}

// "1140804070.368  11623 "
HeaderTime Squid(const Positions& at) {
  if (at.size() < 32 || !at.Has('1', {0}) || !at.Digits({1, 2, 3, 13}) || !at.Has('.', {10}) ||
      !at.Has(' ', {14}) || (at.At(21) != ' ' && at.At(22) != ' ')) {
    return {};
  }
  size_t skip = 14;
  while (at.At(skip) == ' ') ++skip;
  return Found(at, HeaderFamily::kTimeOnly, skip);
}

// Each form behind one byte that tells most others apart from it.
struct Form {
  size_t place;
  char byte;
  HeaderTime (*recognize)(const Positions& at);
};
constexpr std::array<Form, 11> kForms{{{6, ' ', Classic},
                                       {19, ',', Proftpd},
                                       {10, 'T', Iso},
                                       {4, ' ', YearFirst},
                                       {4, ':', Colons},
                                       {7, ' ', Xferlog},
                                       {2, '/', Snort},
                                       {2, '/', Suricata},
                                       {0, '[', Apache},
                                       {0, '[', Asl},
                                       {0, '1', Squid}}};

}  // namespace

HeaderTime RecognizeHeader(std::string_view text) {
  const Positions at(text);
  for (const Form& form : kForms) {
    if (at.At(form.place) != form.byte) continue;
    if (const HeaderTime found = form.recognize(at); found.family != HeaderFamily::kNone) {
      return found;
    }
  }
  return {};
}

size_t IsoTimeLength(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  const auto matches = [&](size_t from, std::string_view shape) {
    if (text.size() < from + shape.size()) return false;
    for (size_t i = 0; i < shape.size(); ++i) {
      const char c = text[from + i];
      if (shape[i] == 'd' ? !base::IsDigit(c) : c != shape[i]) return false;
    }
    return true;
  };
  if (!matches(0, kShape)) return 0;
  size_t end = kShape.size();
  if (end < text.size() && (text[end] == '.' || text[end] == ',')) {
    const size_t fraction = ++end;
    while (end < text.size() && base::IsDigit(text[end])) ++end;
    if (end == fraction) return 0;
  }
  if (matches(end, "Z")) return end + 1;
  if (matches(end, "+dd:dd") || matches(end, "-dd:dd")) return end + 6;
  return 0;
}

}  // namespace ospatrol::analysisd
