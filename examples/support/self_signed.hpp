#ifndef WAITER_EXAMPLES_SUPPORT_SELF_SIGNED_HPP
#define WAITER_EXAMPLES_SUPPORT_SELF_SIGNED_HPP

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

namespace waiter_examples {

/// A certificate for trying things out: for `localhost`, 127.0.0.1 and ::1, signed by itself, good for a week. Nobody trusts it
/// who was not told to: `curl --cacert FILE`, `curl --insecure`, `openssl s_client -CAfile FILE`.
///
/// Two PEM files in a directory of its own, which only this user can enter; all go with the object, in the process that made it.
/// The constructor throws what derives from std::runtime_error when they cannot be made.
class self_signed {
 public:
  self_signed() {
    std::string name = (std::filesystem::temp_directory_path() / "waiter-example-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    directory_ = name;
    try {
      make();
    } catch (...) {
      remove();
      throw;
    }
  }
  ~self_signed() {
    // A forked kid has a copy of the object, but the files are its parent's.
    if (::getpid() == owner_) remove();
  }
  self_signed(const self_signed&) = delete;
  self_signed& operator=(const self_signed&) = delete;

  std::string cert_file() const { return directory_ / "cert.pem"; }
  std::string key_file() const { return directory_ / "key.pem"; }

 private:
  template <auto Free>
  struct freed_by {
    template <class Type>
    void operator()(Type* object) const {
      Free(object);
    }
  };
  using key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
  using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
  using extension = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
  using file = std::unique_ptr<BIO, freed_by<BIO_free>>;

  void make() const {
    const key pair(EVP_EC_gen("P-256"));
    const certificate made(X509_new());
    need(pair && made);
    need(X509_set_version(made.get(), X509_VERSION_3));
    // Browsers refuse a second certificate with the number of a first (RFC 5280, 4.1.2.2).
    need(ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), std::random_device()()));
    need(X509_gmtime_adj(X509_getm_notBefore(made.get()), -60) != nullptr);
    need(X509_gmtime_adj(X509_getm_notAfter(made.get()), 7 * 24 * 3600) != nullptr);
    X509_NAME* const name = X509_get_subject_name(made.get());
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0));
    need(X509_set_issuer_name(made.get(), name));
    add(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    add(made.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    need(X509_set_pubkey(made.get(), pair.get()));
    need(X509_sign(made.get(), pair.get(), EVP_sha256()));

    const mode_t before = ::umask(077);
    const file to_certificate(BIO_new_file(cert_file().c_str(), "w")), to_key(BIO_new_file(key_file().c_str(), "w"));
    ::umask(before);
    need(to_certificate && to_key);
    need(PEM_write_bio_X509(to_certificate.get(), made.get()));
    need(PEM_write_bio_PrivateKey(to_key.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr));
  }

  static void add(X509* made, int kind, const char* value) {
    const extension one(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    need(one && X509_add_ext(made, one.get(), -1));
  }

  static void need(bool succeeded) {
    if (!succeeded) throw std::runtime_error("no certificate could be made");
  }
  static void need(int succeeded) { need(succeeded > 0); }

  void remove() const noexcept {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  const pid_t owner_ = ::getpid();
  std::filesystem::path directory_;
};

}  // namespace waiter_examples

#endif
