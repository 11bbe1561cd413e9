// All sections that ospatrol.conf may hold, who interprets each, and the function that reads it
// (3.2). A new section is one row in registry.cpp and one file section_<name>.cpp.
#pragma once

#include <span>
#include <string_view>

#include "config/configuration.h"
#include "config/dialect.h"

namespace ospatrol::config {

// What a section reader works on. `configuration` holds what the sections before it gave.
struct SectionContext {
  const Element& section;
  std::string_view file;
  Reader reader;
  Configuration& configuration;
  Problems& problems;
};

struct SectionRow {
  std::string_view name;
  std::string_view owners;              // programs, for people
  void (*read)(const SectionContext&);  // nullptr: another program's, only its name is checked
  unsigned readers;                     // bits: 1 << Reader
};

// Rows in no particular order; nothing for an unknown name.
const SectionRow* FindSection(std::string_view name);
std::span<const std::string_view> SectionNames();
bool Interprets(const SectionRow& row, Reader reader);

// One in section_<name>.cpp each.
void ReadGlobal(const SectionContext& context);
void ReadRules(const SectionContext& context);
void RefuseRuleset(const SectionContext& context);
void ReadAlerts(const SectionContext& context);
void ReadLocalFile(const SectionContext& context);
void ReadCommand(const SectionContext& context);
void ReadActiveResponse(const SectionContext& context);
void ReadSyscheckManager(const SectionContext& context);
void ReadRemote(const SectionContext& context);
void ReadClient(const SectionContext& context);

// Tests that need the whole file: after its last section.
void CheckGlobal(const Configuration& configuration, std::string_view file, Reader reader,
                 Problems& problems);
void CheckActiveResponses(const Configuration& configuration, Problems& problems);
void CheckRemote(const Configuration& configuration, std::string_view file, Problems& problems);
void CheckClient(const Configuration& configuration, std::string_view file, Problems& problems);

}  // namespace ospatrol::config
