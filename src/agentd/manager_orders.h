// What the manager asks of this host, in either protocol: responses and restarts (for execd), scans
// (for syscheckd), shared files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agentd/shared_files.h"
#include "ipc/datagram.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::agentd {

class ManagerOrders {
 public:
  struct Settings {
    bool responses = true;  // false: disable-active-response
    bool auto_restart = false;
  };
  struct Hooks {
    // An event of our own: text behind "1:ossec:".
    std::function<void(std::string text)> report;
    // What is told of the shared files in keep-alives has changed.
    std::function<void()> files_changed;
  };
  // `files` outlives it.
  ManagerOrders(const Home& home, SharedFiles& files, Settings settings, Hooks hooks);
  void SetSettings(Settings settings) { settings_ = settings; }

  // Empty: done; else why not.
  std::string Execute(std::string_view response);
  std::string RequestScan();

  // One file at a time; the next one takes the place of one that is not complete.
  void FileBegins(std::string_view name, std::string_view md5);
  bool file_open() const { return transfer_.has_value(); }
  // False: larger than any file may be; it is given up.
  bool FileContent(std::string_view bytes);
  // The manager has sent all of it: checks the MD5, when one was named, and installs. Empty: done;
  // else why not.
  std::string FileEnds(const std::string& server);
  void FileAborted() { transfer_.reset(); }

 private:
  struct Transfer {
    std::string name, md5;
    std::string content;
  };

  std::string Install(const Transfer& transfer, const std::string& server);

  Home home_;
  SharedFiles& files_;
  Settings settings_;
  Hooks hooks_;
  ipc::DatagramSender execd_;
  std::optional<Transfer> transfer_;
  std::string refused_md5_;  // of what was refused last: reported once

  log::Limited<msg::kNoResponseQueue> no_queue_;
  log::Limited<msg::kResponseNotPassed> refused_;
  log::Limited<msg::kSharedTransfer> transfer_failed_;
};

}  // namespace ospatrol::agentd
