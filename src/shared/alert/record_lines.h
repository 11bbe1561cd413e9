// The words that make a line of alerts.log part of a record's frame: known to its writer, its
// reader and the guard against forged records (outputs-and-response 3.2, 3.3, 3.6).
#pragma once

#include <string_view>

namespace ospatrol::alert {

inline constexpr std::string_view kRecordStart = "** Alert";
inline constexpr std::string_view kRule = "Rule: ";
inline constexpr std::string_view kSrcIp = "Src IP: ";
inline constexpr std::string_view kSrcLocation = "Src Location: ";
inline constexpr std::string_view kSrcPort = "Src Port: ";
inline constexpr std::string_view kDstIp = "Dst IP: ";
inline constexpr std::string_view kDstLocation = "Dst Location: ";
inline constexpr std::string_view kDstPort = "Dst Port: ";
inline constexpr std::string_view kUser = "User: ";

inline constexpr std::string_view kOldMd5 = "Old md5sum was: ";
inline constexpr std::string_view kNewMd5 = "New md5sum is : ";
inline constexpr std::string_view kOldSha1 = "Old sha1sum was: ";
inline constexpr std::string_view kNewSha1 = "New sha1sum is : ";
inline constexpr std::string_view kOldSha256 = "Old sha256sum was: ";
inline constexpr std::string_view kNewSha256 = "New sha256sum is : ";
inline constexpr std::string_view kSize = "Size changed from ";
inline constexpr std::string_view kOwner = "Ownership was ";
inline constexpr std::string_view kGroupOwner = "Group ownership was ";
inline constexpr std::string_view kPermissions = "Permissions changed from ";

inline constexpr std::string_view kChangedFile = "Integrity checksum changed for: '";
inline constexpr std::string_view kDiffFollows = "What changed:";

// "** Alert", "Rule: ", "Src IP: ", ...
bool IsHeaderLine(std::string_view line);
// "Old md5sum was: ", "Size changed from ", ...
bool IsIntegrityLine(std::string_view line);

}  // namespace ospatrol::alert
