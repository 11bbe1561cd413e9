#include "analysisd/list_set.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "analysisd/cdb.h"
#include "base/error.h"
#include "base/files.h"
#include "log/log.h"
#include "pattern/ip_list.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxListBytes = size_t{1} << 30;

struct AddressHash {
  size_t operator()(const pattern::IpAddress& address) const {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(address.data()), address.size()});
  }
};

pattern::IpAddress Masked(pattern::IpAddress address, int prefix) {
  for (int byte = 0; byte < 16; ++byte) {
    const int bits = std::clamp(prefix - byte * 8, 0, 8);
    address[static_cast<size_t>(byte)] &= static_cast<uint8_t>(0xff00 >> bits);
  }
  return address;
}

// Networks by prefix length, longest first.
class NetworkTable {
 public:
  // Takes keys that are networks or IPv6 addresses; plain IPv4 addresses are found by their text.
  void Add(std::string_view key, std::string_view value) {
    const bool network = key.find('/') != std::string_view::npos;
    const bool ipv6 = key.find(':') != std::string_view::npos;
    if (!network && !ipv6) return;
    const auto parsed = pattern::IpNetwork::Parse(key);
    if (!parsed || parsed->negated || key == "any") return;
    lengths_[parsed->prefix].try_emplace(Masked(parsed->address, parsed->prefix), value);
  }

  struct Hit {
    int prefix;
    std::string_view value;
  };
  std::optional<Hit> Find(const pattern::IpAddress& address) const {
    for (const auto& [prefix, networks] : lengths_) {
      const auto found = networks.find(Masked(address, prefix));
      if (found != networks.end()) return Hit{prefix, found->second};
    }
    return std::nullopt;
  }
  bool empty() const { return lengths_.empty(); }

 private:
  std::map<int, std::unordered_map<pattern::IpAddress, std::string_view, AddressHash>,
           std::greater<>>
      lengths_;
};

std::string ReadLimited(const std::filesystem::path& path) {
  return base::ReadFile(path, kMaxListBytes);
}

}  // namespace

struct ListTable::Impl {
  explicit Impl(Cdb bytes) : cdb(std::move(bytes)) {
    cdb.ForEach([this](std::string_view key, std::string_view value) { networks.Add(key, value); });
  }
  const Cdb cdb;
  NetworkTable networks;  // values are views into cdb
};

ListTable::ListTable() = default;
ListTable::~ListTable() = default;

std::shared_ptr<const ListTable> ListTable::FromCompiled(std::string bytes) {
  std::optional<Cdb> cdb = Cdb::FromBytes(std::move(bytes));
  if (!cdb) return nullptr;
  std::shared_ptr<ListTable> table(new ListTable);
  table->impl_ = std::make_unique<Impl>(std::move(*cdb));
  return table;
}

std::shared_ptr<const ListTable> ListTable::FromText(std::string_view text) {
  std::optional<std::string> bytes = CompileCdb(text);
  return bytes ? FromCompiled(std::move(*bytes)) : nullptr;
}

std::optional<std::string_view> ListTable::Find(std::string_view key) const {
  return impl_->cdb.Find(key);
}

std::optional<std::string_view> ListTable::FindAddress(std::string_view address) const {
  if (const auto exact = impl_->cdb.Find(address)) return exact;

  std::optional<std::string_view> dotted;
  int dotted_prefix = -1;
  for (size_t dot = address.rfind('.'); dot != std::string_view::npos && !dotted;) {
    const std::string_view part = address.substr(0, dot + 1);
    dotted = impl_->cdb.Find(part);
    dotted_prefix = 96 + 8 * static_cast<int>(std::count(part.begin(), part.end(), '.'));
    dot = dot == 0 ? std::string_view::npos : address.rfind('.', dot - 1);
  }
  if (impl_->networks.empty()) return dotted;
  const auto parsed = pattern::ParseAddress(address);
  if (!parsed) return dotted;
  const auto network = impl_->networks.Find(*parsed);
  if (network && (!dotted || network->prefix > dotted_prefix)) return network->value;
  return dotted;
}

bool List::Stamp::IsNewerThan(const Stamp& other) const {
  return std::tie(seconds, nanoseconds) > std::tie(other.seconds, other.nanoseconds);
}

List::Stamp List::StampOf(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return {true,
          status.st_dev,
          status.st_ino,
          static_cast<uint64_t>(status.st_size),
          status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec};
}

std::optional<std::string> List::Load(const Home& home) {
  const std::filesystem::path text = TextBelow(home);
  const std::filesystem::path compiled = CompiledBelow(home);
  text_stamp_ = StampOf(text);
  compiled_stamp_ = StampOf(compiled);
  if (!text_stamp_.exists && !compiled_stamp_.exists) {
    return fmt::format("neither '{}' nor '{}.cdb' exists", name_, name_);
  }
  const bool use_text =
      !compiled_stamp_.exists || (text_stamp_.exists && text_stamp_.IsNewerThan(compiled_stamp_));
  try {
    std::shared_ptr<const ListTable> table;
    if (!use_text) table = ListTable::FromCompiled(ReadLimited(compiled));
    if (table == nullptr && text_stamp_.exists) table = ListTable::FromText(ReadLimited(text));
    if (table == nullptr) return fmt::format("'{}.cdb' is damaged; run ospatrol-makelists", name_);
    table_ = std::move(table);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

bool List::Refresh(const Home& home, std::string* error) {
  error->clear();
  if (file_.empty()) return false;
  if (StampOf(TextBelow(home)) == text_stamp_ && StampOf(CompiledBelow(home)) == compiled_stamp_) {
    return false;
  }
  if (std::optional<std::string> reason = Load(home)) {
    *error = std::move(*reason);
    return false;
  }
  return true;
}

std::string ListSet::Normalise(std::string_view name) {
  name = name.substr(0, name.find(".cdb"));
  if (name.find('/') == std::string_view::npos) {
    return fmt::format("{}/{}", paths::kRules, name);
  }
  return std::string(name);
}

std::unique_ptr<ListSet> ListSet::Load(const Home& home, const config::Configuration& configuration,
                                       config::Problems& problems) {
  auto set = std::make_unique<ListSet>();
  for (const config::RulesSection::File& file : configuration.rules.lists) {
    const std::string name = Normalise(file.path);
    if (set->Find(name) != nullptr) continue;
    // A leading '/' would make the path leave the prefix.
    const std::string relative = name.substr(std::min(name.find_first_not_of('/'), name.size()));
    auto list = std::make_unique<List>(name, relative);
    if (const auto reason = list->Load(home)) {
      problems.Warning(msg::kListUnreadable.id, file.origin.file, file.origin.line,
                       fmt::format("<list>{}: {}", name, *reason),
                       "create the list, or remove the entry");
    }
    set->lists_.push_back(std::move(list));
  }
  return set;
}

void ListSet::Add(std::string_view name, std::string_view text) {
  auto list = std::make_unique<List>(Normalise(name), "");
  list->SetTable(ListTable::FromText(text));
  lists_.push_back(std::move(list));
}

const List* ListSet::Find(std::string_view name) const {
  const std::string wanted = Normalise(name);
  const auto found = std::find_if(lists_.begin(), lists_.end(),
                                  [&](const auto& list) { return list->name() == wanted; });
  return found == lists_.end() ? nullptr : found->get();
}

void ListSet::Refresh(const Home& home, base::Seconds now) const {
  if (now == last_refresh_) return;
  last_refresh_ = now;
  for (const std::unique_ptr<List>& list : lists_) {
    std::string error;
    if (list->Refresh(home, &error)) {
      log::Write<msg::kListReloaded>(list->name());
    } else if (!error.empty()) {
      log::Write<msg::kListNotReloaded>(list->name(), error);
    }
  }
}

}  // namespace ospatrol::analysisd
