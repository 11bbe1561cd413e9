// The order of the steps is not free: groups while there is still CAP_SETGID, the root directory
// while there is CAP_SYS_CHROOT, the bounding set while there is CAP_SETPCAP, and the uid last,
// since it takes the capabilities away. What was set is then read back from the kernel: a step that
// silently did nothing must not go unnoticed.
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/files.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

using base::ErrnoText;

struct Place {
  dev_t device;
  ino_t inode;
  bool operator==(const Place&) const = default;
};

Place PlaceOf(const std::filesystem::path& directory) {
  struct stat facts {};
  if (stat(directory.c_str(), &facts) != 0) {
    throw log::Fatal<msg::kChdirFailed>(directory.native(), ErrnoText(errno));
  }
  return {facts.st_dev, facts.st_ino};
}

// A bit for each capability number.
using CapabilitySet = uint64_t;

CapabilitySet SetOf(std::span<const int> capabilities) {
  CapabilitySet set = 0;
  for (const int capability : capabilities) set |= CapabilitySet{1} << capability;
  return set;
}

bool Contains(CapabilitySet set, int capability) { return (set >> capability & 1) != 0; }

// See Program::keep_caps.
bool KeepsAllCapabilities(const Program& program, const Identity& identity) {
  return identity.uid == 0 && program.user == "root" && program.keep_caps.empty();
}

// PR_CAPBSET_READ fails beyond the last capability that the kernel knows.
bool Exists(int capability) { return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; }

bool IsInBoundingSet(int capability) { return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1; }

bool IsAmbient(int capability) {
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
}

[[noreturn]] void NotConfined(std::string_view what) { throw log::Fatal<msg::kNotConfined>(what); }

void SetGroups(gid_t gid) {
  if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0) {
    throw log::Fatal<msg::kSetgidFailed>(gid, ErrnoText(errno));
  }
}

void EnterRoot(const std::filesystem::path& prefix) {
  if (chdir(prefix.c_str()) != 0) {
    throw log::Fatal<msg::kChdirFailed>(prefix.native(), ErrnoText(errno));
  }
  if (chroot(".") != 0) throw log::Fatal<msg::kChrootFailed>(prefix.native(), ErrnoText(errno));
  if (chdir("/") != 0) throw log::Fatal<msg::kChdirFailed>("/", ErrnoText(errno));
}

void CutBoundingSet(CapabilitySet keep) {
  for (int capability = 0; Exists(capability); ++capability) {
    if (Contains(keep, capability) || !IsInBoundingSet(capability)) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      NotConfined(fmt::format("capability {} cannot leave the bounding set: {}", capability,
                              ErrnoText(errno)));
    }
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void SetUser(uid_t uid) {
  if (setresuid(uid, uid, uid) != 0) {
    throw log::Fatal<msg::kSetuidFailed>(uid, ErrnoText(errno));
  }
}

void SetCapabilities(std::span<const int> keep) {
  capng_clear(CAPNG_SELECT_CAPS);
  for (const int capability : keep) {
    capng_updatev(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                  static_cast<unsigned>(capability), -1);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
    NotConfined("the capabilities cannot be set: " + ErrnoText(errno));
  }
}

void VerifyIdentity(const Identity& wanted, CapabilitySet keep) {
  uid_t real_uid, effective_uid, saved_uid;
  gid_t real_gid, effective_gid, saved_gid;
  if (getresuid(&real_uid, &effective_uid, &saved_uid) != 0 || real_uid != wanted.uid ||
      effective_uid != wanted.uid || saved_uid != wanted.uid) {
    NotConfined(fmt::format("its user is not {}", wanted.uid));
  }
  if (getresgid(&real_gid, &effective_gid, &saved_gid) != 0 || real_gid != wanted.gid ||
      effective_gid != wanted.gid || saved_gid != wanted.gid) {
    NotConfined(fmt::format("its group is not {}", wanted.gid));
  }
  std::array<gid_t, 2> groups{};
  if (getgroups(groups.size(), groups.data()) != 1 || groups[0] != wanted.gid) {
    NotConfined("it has further groups");
  }
  if (wanted.uid != 0 && !Contains(keep, CAP_SETUID) &&
      setresuid(static_cast<uid_t>(-1), 0, static_cast<uid_t>(-1)) == 0) {
    NotConfined("it can become root again");
  }
}

void VerifyCapabilities(CapabilitySet keep) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) {
    NotConfined("its capabilities cannot be read: " + ErrnoText(errno));
  }
  const auto join = [](uint32_t low, uint32_t high) { return CapabilitySet{high} << 32 | low; };
  if (join(data[0].effective, data[1].effective) != keep ||
      join(data[0].permitted, data[1].permitted) != keep ||
      join(data[0].inheritable, data[1].inheritable) != 0) {
    NotConfined("its capabilities are not those of its row in programs.h");
  }
  for (int capability = 0; Exists(capability); ++capability) {
    if (IsInBoundingSet(capability) != Contains(keep, capability) || IsAmbient(capability)) {
      NotConfined(fmt::format("capability {} is in the wrong sets", capability));
    }
  }
}

// Asks the user or group database, with more space until the entry fits.
template <typename Look>
bool LookUp(Look look) {
  std::vector<char> space(4096);
  for (;;) {
    const std::pair<int, bool> answer = look(space);
    if (answer.first != ERANGE) return answer.first == 0 && answer.second;
    space.resize(space.size() * 2);
  }
}

}  // namespace

Identity LookUpIdentity(const std::string& user, const std::string& group) {
  passwd user_entry{};
  const bool user_known = LookUp([&](std::vector<char>& space) {
    passwd* found = nullptr;
    const int error = getpwnam_r(user.c_str(), &user_entry, space.data(), space.size(), &found);
    return std::pair(error, found != nullptr);
  });
  ::group group_entry{};
  const bool group_known = LookUp([&](std::vector<char>& space) {
    ::group* found = nullptr;
    const int error = getgrnam_r(group.c_str(), &group_entry, space.data(), space.size(), &found);
    return std::pair(error, found != nullptr);
  });
  if (!user_known || !group_known) throw log::Fatal<msg::kBadUserOrGroup>(user, group);
  return {user_entry.pw_uid, group_entry.gr_gid};
}

void BecomeProgram(const Program& program, const Identity& identity,
                   const std::filesystem::path& prefix) {
  if (geteuid() != 0) throw log::Fatal<msg::kNotRoot>(program.user);
  const bool keep_all = KeepsAllCapabilities(program, identity);
  const CapabilitySet keep = SetOf(program.keep_caps);
  const Place root = PlaceOf(program.chroot ? prefix : "/");
  capng_clear(CAPNG_SELECT_BOTH);  // reads /proc, which is out of reach in a chroot

  SetGroups(identity.gid);
  if (program.chroot) EnterRoot(prefix);
  if (!keep_all) {
    CutBoundingSet(keep);
    prctl(PR_SET_KEEPCAPS, keep != 0 ? 1 : 0, 0, 0, 0);
  }
  SetUser(identity.uid);
  if (!keep_all) {
    SetCapabilities(program.keep_caps);
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  }
  if (program.no_new_privileges) ForbidNewPrivileges();

  VerifyIdentity(identity, keep);
  if (!keep_all) VerifyCapabilities(keep);
  if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 0) NotConfined("a change of user keeps capabilities");
  if (PlaceOf("/") != root)
    NotConfined(fmt::format("its root directory is not '{}'", prefix.native()));
}

void ForbidNewPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
    NotConfined("programs that it starts may gain privileges: " + ErrnoText(errno));
  }
}

}  // namespace ospatrol::daemon
