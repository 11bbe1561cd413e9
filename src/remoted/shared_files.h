// etc/shared -> merged.mg: notices changes, builds the file and knows its sums (wire-protocol 4.4).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "product/paths.h"
#include "remoted/agent.h"
#include "secure/merged_file.h"
#include "secure/v2/manager_link.h"

namespace ospatrol::remoted {

// What agents are to have. Never changes; transfers keep the one they began with.
struct SharedBundle {
  std::string md5;  // of merged.mg, 32 hex digits
  Md5 md5_bytes{};
  std::shared_ptr<const secure::v2::FileContent> content;  // merged.mg itself
  const std::string& merged() const { return content->bytes; }
  std::vector<secure::SharedFile> files;  // for agents that know no merged.mg
};
using SharedBundlePtr = std::shared_ptr<const SharedBundle>;

Md5 Md5FromHex(std::string_view hex);
bool IsMd5Hex(std::string_view text);

class SharedFiles {
 public:
  explicit SharedFiles(const Home& home);

  // Reads and builds at once; for the start.
  void Build();
  // Looks at the folder: a few stats. A change is taken over when a second look finds the folder
  // as the first one did, so that half-written files do not travel. True when there is another
  // bundle now.
  bool Check();

  // Never null after Build.
  const SharedBundlePtr& bundle() const { return bundle_; }

 private:
  struct Facts {
    ino_t inode = 0;
    off_t size = 0;
    int64_t modified_ns = 0;
    bool operator==(const Facts&) const = default;
  };
  using Listing = std::map<std::string, Facts>;

  Listing List();
  std::vector<secure::SharedFile> ReadAll(const Listing& listing);
  void KeepGoodAgentConf(std::vector<secure::SharedFile>& files);
  void Publish(std::vector<secure::SharedFile> files);
  void Complain(std::vector<std::string> problems);

  std::filesystem::path folder_;
  Listing built_;      // what the bundle was made of
  Listing last_seen_;  // by Check
  SharedBundlePtr bundle_;
  std::string good_agent_conf_;  // the last one that parsed
  bool has_good_agent_conf_ = false;
  std::vector<std::string> complained_;
};

}  // namespace ospatrol::remoted
