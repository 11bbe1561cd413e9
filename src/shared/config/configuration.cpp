#include "config/configuration.h"

#include <fmt/format.h>

#include <array>

#include "config/dialect.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

constexpr std::array<std::string_view, 2> kRoots{"ospatrol_config", "ossec_config"};
constexpr std::string_view kVariable = "var";  // skipped wherever it stands (3.1)

class FileReader {
 public:
  FileReader(std::string_view file, Reader reader, Problems& problems)
      : file_(file), reader_(reader), problems_(problems) {}

  Configuration Read(const Document& document) {
    for (const Element& root : document.roots) Root(root);
    CheckGlobal(configuration_, file_, reader_, problems_);
    if (reader_ == Reader::kAnalysisd) CheckActiveResponses(configuration_, problems_);
    if (reader_ == Reader::kRemoted) CheckRemote(configuration_, file_, problems_);
    if (reader_ == Reader::kAgentd) CheckClient(configuration_, file_, problems_);
    return std::move(configuration_);
  }

 private:
  void Root(const Element& root) {
    if (root.name == kVariable) return;
    if (root.name != kRoots[0] && root.name != kRoots[1]) {
      problems_.Error(msg::kInvalidElement.id, file_, root.line,
                      fmt::format("<{}>: unknown root element", Show(root.name)),
                      fmt::format("expected <{}> or <{}>", kRoots[0], kRoots[1]));
      return;
    }
    for (const Element& section : root.children) {
      if (section.name != kVariable) Section(section);
    }
  }

  void Section(const Element& section) {
    const SectionRow* row = FindSection(section.name);
    if (row == nullptr) {
      problems_.Error(msg::kInvalidElement.id, file_, section.line,
                      fmt::format("<{}>: unknown section", Show(section.name)),
                      Suggest(section.name, SectionNames()));
      return;
    }
    if (section.children.empty()) {
      problems_.Warning(msg::kEmptySection.id, file_, section.line,
                        fmt::format("<{}>: section without options, treated as absent", row->name),
                        "add options or remove it");
      return;
    }
    if (!Interprets(*row, reader_)) return;
    row->read({section, file_, reader_, configuration_, problems_});
  }

  std::string_view file_;
  Reader reader_;
  Configuration configuration_;
  Problems& problems_;
};

}  // namespace

Configuration LoadConfiguration(const std::filesystem::path& file, std::string_view shown,
                                Reader reader, Problems& problems) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    problems.Error(msg::kConfigurationMissing.id, shown, 0,
                   fmt::format("the configuration file is missing: {}",
                               error ? error.message() : "No such file or directory"),
                   "create it, or name another one with -c");
    return {};
  }
  const size_t errors_before = problems.error_count();
  const Document document = ReadDialect(file, shown, problems);
  if (problems.error_count() > errors_before) return {};
  return ReadConfiguration(document, reader, problems);
}

Configuration ReadConfiguration(const Document& document, Reader reader, Problems& problems) {
  return FileReader(document.file, reader, problems).Read(document);
}

}  // namespace ospatrol::config
