//! Files that are said to be keys, and texts that are said to be public ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pkcs8::der::Encode as _;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Pbkdf2Params};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use vak_trust::{KeyError, KeyFormat, Passphrase, PrivateKey, PublicKey};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn private(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join("file");
        write(&path, bytes).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn open(path: &Path) -> Result<PrivateKey, KeyError> {
    PrivateKey::read_with(path, || Ok(Passphrase::new("correct horse".to_owned())))
}

#[test]
fn a_key_file_is_read_in_one_way() {
    let folder = Folder::new();
    let key = PrivateKey::generate().unwrap();
    let path = folder.0.path().join("key");
    key.write(&path).unwrap();
    let pem = std::fs::read_to_string(&path).unwrap();
    let line = pem.lines().nth(1).unwrap();
    let same = [pem.clone(), pem.replace('\n', "\r\n"), pem.trim_end().to_owned()];
    for text in same {
        assert_eq!(open(&folder.private(&text)).unwrap().public(), key.public(), "{text}");
    }
    let others = [
        key.public().to_pem(),
        key.public().to_string(),
        format!("\u{feff}{pem}"),
        format!("{pem}x"),
        format!("{pem}{pem}"),
        format!("{pem}\0"),
        pem.replace(line, &format!("{}\0", &line[..line.len() - 1])),
        pem.replace(line, &line.replace('M', "-")),
        pem.replace(line, &line[..line.len() - 4]),
        pem.replace(line, &format!(" {line}")),
        pem.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        // An X25519 key has the same form.
        pem.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vu"),
        "-".repeat(5_000),
        format!("{pem}{}", "\n".repeat(5_000)),
    ];
    for text in others {
        let error = open(&folder.private(&text)).unwrap_err();
        assert!(matches!(error, KeyError::NotAKey(_)), "{text:.200}: {error}");
        let said = "is not an Ed25519 private key, in PKCS#8 PEM or as its 32 raw bytes";
        assert!(error.to_string().ends_with(said), "{error}");
    }
    assert!(matches!(open(folder.0.path()), Err(KeyError::Exposed { .. } | KeyError::Io { .. })));
    assert!(matches!(open(&folder.0.path().join("missing")), Err(KeyError::Io { .. })));
}

/// What counts is who can read the file that a link leads to.
#[test]
fn a_link_to_an_exposed_key_is_refused() {
    let folder = Folder::new();
    let (path, link) = (folder.private([1; 32]), folder.0.path().join("link"));
    symlink(&path, &link).unwrap();
    assert!(open(&link).is_ok());
    set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let error = open(&link).unwrap_err().to_string();
    assert!(error.ends_with("link` has mode 0644; run `chmod 600` on it"), "{error}");
    // A new key is written through no link, even one that leads nowhere.
    std::fs::remove_file(&path).unwrap();
    let key = PrivateKey::generate().unwrap();
    assert!(matches!(key.write(&link), Err(KeyError::Exists(_))));
    assert!(!path.exists());
}

/// The file says how much work it is to open it.
#[test]
fn a_key_file_cannot_ask_for_any_amount_of_work() {
    let folder = Folder::new();
    let path = folder.0.path().join("key");
    let passphrase = Passphrase::protecting("correct horse".to_owned()).unwrap();
    PrivateKey::generate().unwrap().write_as(&path, &KeyFormat::EncryptedPem(passphrase)).unwrap();
    let pem = std::fs::read_to_string(&path).unwrap();
    let (_, document) = SecretDocument::from_pem(&pem).unwrap();
    let asking = |change: &dyn Fn(&mut Kdf)| {
        let mut info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).unwrap();
        let EncryptionScheme::Pbes2(parameters) = &mut info.encryption_algorithm else { panic!("another scheme") };
        change(&mut parameters.kdf);
        let document = SecretDocument::try_from(info.to_der().unwrap()).unwrap();
        open(&folder.private(&*document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).unwrap()))
    };
    assert!(asking(&|_| ()).is_ok());
    let scrypt = |change: &dyn Fn(&mut pkcs8::pkcs5::pbes2::ScryptParams)| {
        asking(&|kdf| match kdf {
            Kdf::Scrypt(parameters) => change(parameters),
            _ => panic!("another function"),
        })
    };
    let costly = [
        scrypt(&|it| it.cost_parameter = 1 << 40),
        scrypt(&|it| it.cost_parameter = 1 << 63),
        scrypt(&|it| it.block_size = u16::MAX),
        scrypt(&|it| it.parallelization = u16::MAX),
        asking(&|kdf| *kdf = Kdf::Pbkdf2(Pbkdf2Params::hmac_sha256(100_000_000, b"salt and salt").unwrap())),
    ];
    for result in costly {
        let error = result.unwrap_err();
        assert!(matches!(error, KeyError::TooCostly(_)), "{error}");
        assert!(error.to_string().contains("asks for too much work to open it"), "{error}");
    }
    // Little work and another key.
    let other = asking(&|kdf| *kdf = Kdf::Pbkdf2(Pbkdf2Params::hmac_sha256(1_000, b"salt and salt").unwrap()));
    assert!(matches!(other, Err(KeyError::Passphrase(_))));
}

#[test]
fn public_keys_are_sound_and_have_one_spelling() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let write = |bytes: &[u8]| format!("ed25519:{}", STANDARD.encode(bytes));
    let sound = PrivateKey::generate().unwrap().public().to_string();
    assert!(sound.parse::<PublicKey>().is_ok());
    let (p, p_1) = ([&[0xed][..], &[0xff; 30], &[0x7f]].concat(), [&[0xee][..], &[0xff; 30], &[0x7f]].concat());
    let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let order_8: Vec<_> = (0..32).map(|at| u8::from_str_radix(&order_8[2 * at..2 * at + 2], 16).unwrap()).collect();
    let y = |y: u8| [&[y][..], &[0; 31]].concat();
    let last = sound.len() - 2;
    let stray = match &sound[last..=last] {
        "A" => "B",
        _ => "9",
    };
    let bad = [
        write(&y(0)),
        write(&y(1)),
        write(&[&[0xec][..], &[0xff; 30], &[0x7f]].concat()),
        write(&order_8),
        // The same points with y not reduced, and one that is not of small order.
        write(&p),
        write(&p_1),
        write(&[&[0xf0][..], &[0xff; 30], &[0x7f]].concat()),
        // No point of the curve.
        write(&y(2)),
        write(&[7; 31]),
        write(&[7; 33]),
        write(&[]),
        sound.replace("ed25519:", "ED25519:"),
        sound.replace("ed25519:", "ed25519: "),
        sound.trim_end_matches('=').to_owned(),
        format!("{sound}="),
        format!("{sound}\n"),
        format!(" {sound}"),
        format!("{}{stray}=", &sound[..last]),
    ];
    for text in bad {
        let error = text.parse::<PublicKey>().unwrap_err().to_string();
        assert!(error.contains("is not a public key; it is written `ed25519:`"), "{error}");
    }
}
