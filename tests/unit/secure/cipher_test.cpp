#include "secure/cipher.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

std::string KeyText(const DerivedKeys& keys) { return {keys.text.begin(), keys.text.end()}; }

TEST(DeriveKeys, GivesTheKeysOfTheVectors) {
  ASSERT_EQ(Vectors()["key_derivation"].size(), 8U);
  for (const auto& vector : Vectors()["key_derivation"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const DerivedKeys keys = DeriveKeys(AgentOf(vector["client_keys_line"]));
    EXPECT_EQ(KeyText(keys), vector["final_key_string_step5_then_step4"].get<std::string>());
    EXPECT_EQ(std::string(keys.blowfish().begin(), keys.blowfish().end()),
              FromHex(vector["blowfish_key_bytes_hex"]));
    EXPECT_EQ(std::string(keys.aes().begin(), keys.aes().end()),
              FromHex(vector["aes256_key_bytes_hex"]));
  }
}

// Runs `body` in a child, where the legacy provider is not loaded yet, and gives its exit status.
template <typename Body>
int InChild(const Body& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool BlowfishWorks() {
  CipherEngine engine;
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  const std::array<uint8_t, 16> plain{1, 2, 3};
  std::array<uint8_t, 16> sealed{};
  std::array<uint8_t, 16> opened{};
  return engine.EncryptBlowfish(keys, plain, sealed.data()) && sealed != plain &&
         engine.DecryptBlowfish(keys, sealed, opened.data()) && opened == plain;
}

bool AesWorks() {
  CipherEngine engine;
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  const std::array<uint8_t, 8> plain{1, 2, 3};
  std::array<uint8_t, 16> sealed{};
  std::array<uint8_t, 16> opened{};
  const CipherEngine::AesIv iv{};
  return engine.EncryptAes(keys, iv, plain, sealed.data()) == 16 &&
         engine.DecryptAes(keys, iv, sealed, opened.data()) == plain.size();
}

TEST(LegacyProvider, IsNeededForBlowfishOnly) {
  EXPECT_EQ(InChild([] { return !BlowfishAvailable() && !BlowfishWorks() && AesWorks() ? 0 : 1; }),
            0);
}

TEST(LegacyProvider, WorksInAChrootWhenItWasLoadedBefore) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::filesystem::path empty =
      std::filesystem::path(testing::TempDir()) / "secure_empty_root";
  std::filesystem::create_directories(empty);
  EXPECT_EQ(InChild([&] {
              Vectors();
              if (LoadLegacyProvider()) return 1;
              if (chroot(empty.c_str()) != 0 || chdir("/") != 0) return 2;
              if (setgid(65534) != 0 || setuid(65534) != 0) return 3;
              return BlowfishWorks() && AesWorks() ? 0 : 4;
            }),
            0);
}

TEST(LegacyProvider, SaysWhyItIsMissingAndLeavesAes) {
  EXPECT_EQ(InChild([] {
              setenv("OPENSSL_MODULES", "/nonexistent", 1);
              const auto reason = LoadLegacyProvider();
              if (!reason || reason->find('\n') != std::string::npos) return 1;
              if (reason->find("legacy provider") == std::string::npos) return 2;
              return !BlowfishAvailable() && !BlowfishWorks() && AesWorks() ? 0 : 3;
            }),
            0);
}

TEST(CipherEngine, KeepsApartMoreKeysThanItRemembers) {
  ASSERT_EQ(LoadLegacyProvider(), std::nullopt);
  CipherEngine engine;
  const std::array<uint8_t, 8> plain{9, 8, 7};
  std::vector<std::array<uint8_t, 8>> sealed(1100);
  const auto keys = [](size_t i) {
    DerivedKeys result;
    result.text.fill('k');
    result.text[0] = static_cast<uint8_t>(i);
    result.text[1] = static_cast<uint8_t>(i >> 8);
    return result;
  };
  for (size_t i = 0; i < sealed.size(); ++i) {
    ASSERT_TRUE(engine.EncryptBlowfish(keys(i), plain, sealed[i].data()));
  }
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::array<uint8_t, 8> opened{};
    ASSERT_TRUE(engine.DecryptBlowfish(keys(i), sealed[i], opened.data()));
    ASSERT_EQ(opened, plain);
  }
}

TEST(CipherEngine, RefusesPartsOfBlocksAndWrongPadding) {
  CipherEngine engine;
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  std::array<uint8_t, 64> out{};
  const std::array<uint8_t, 33> in{};
  const CipherEngine::AesIv iv{};
  EXPECT_FALSE(engine.EncryptBlowfish(keys, std::span(in).first(9), out.data()));
  for (const size_t size : {0U, 1U, 15U, 17U, 33U}) {
    EXPECT_EQ(engine.DecryptAes(keys, iv, std::span(in).first(size), out.data()), std::nullopt);
  }
  EXPECT_EQ(engine.DecryptAes(keys, iv, std::span(in).first(16), out.data()), std::nullopt);
}

TEST(CipherEngine, InflatesNothingThatIsTooLargeOrCut) {
  CipherEngine engine;
  const std::string text(6000, 'x');
  std::array<uint8_t, 200> stream{};
  const auto length = engine.Deflate(text, stream);
  ASSERT_TRUE(length);
  std::vector<uint8_t> out(6000);
  const auto whole = std::span<const uint8_t>(stream).first(*length);
  EXPECT_EQ(engine.Inflate(whole, out), 6000U);
  EXPECT_EQ(engine.Inflate(whole, std::span(out).first(5999)), std::nullopt);
  EXPECT_EQ(engine.Inflate(whole.first(*length - 1), out), std::nullopt);
  EXPECT_EQ(engine.Inflate({}, out), std::nullopt);
  EXPECT_EQ(engine.Deflate(text, std::span(stream).first(10)), std::nullopt);
  EXPECT_EQ(engine.Inflate(whole, out), 6000U) << "a failure leaves nothing behind";
}

}  // namespace
}  // namespace ospatrol::secure
