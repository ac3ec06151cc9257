//! Tests of certificates from an authority: pebble, the test server of Let's Encrypt, which refuses a part of all nonces.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::peers::certificates::{Authority, Certificate};
use crate::peers::{self, LIMIT, Onair, Peer};

/// A running pebble, with its certificate and its ports.
struct Pebble {
    peer: Peer,
    authority: Authority,
    _folder: tempfile::TempDir,
    port: u16,
}

impl Pebble {
    /// Starts an authority that checks domains at these ports of this computer. `variables` are those of pebble.
    fn start((http, https): (u16, u16), variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let Certificate { certificate, key, .. } = authority.good();
        let port = peers::free_port();
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{}", peers::free_port()),
            "certificate": certificate, "privateKey": key,
            "httpPort": http, "tlsPort": https,
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        let file = folder.path().join("pebble.json");
        fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new("pebble");
        command.args(["-config", file.to_str().unwrap()]);
        command.env("PEBBLE_VA_NOSLEEP", "1").envs(variables.iter().copied());
        let mut peer = Peer::start_command(&mut command);
        peers::wait_listening(&mut peer, port);
        Self { peer, authority, _folder: folder, port }
    }

    fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    fn certificate(&self) -> String {
        self.authority.file().display().to_string()
    }
}

/// Starts a server with these addresses, whose state is in this folder.
fn serve(pebble: &Pebble, state: &Path, (http, https): (&str, &str)) -> Onair {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["serve", "--rtmp", "127.0.0.1:0", "--http", http, "--https", https]);
    command.args(["--acme", "localhost", "--acme-email", "me@example.com", "--json"]);
    command.args(["--acme-directory", &pebble.directory(), "--acme-ca", &pebble.certificate()]);
    Onair::start_command(&mut command, &[("XDG_STATE_HOME", state.to_str().unwrap())])
}

/// Waits for the next certificate.
fn certificate(onair: &mut Onair) -> Value {
    onair.wait_event("a certificate", |it| it["event"] == "certificate" && it["sha256"].is_string())
}

/// Returns the issuer of the certificate that the server shows at this port.
fn issuer(port: u16) -> String {
    let at = format!("127.0.0.1:{port}");
    let words = ["s_client", "-connect", &at, "-servername", "localhost", "-showcerts"];
    let output = Command::new("openssl").args(words).stdin(std::process::Stdio::null()).output();
    let text = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("issuer=")).unwrap_or_default().to_owned()
}

#[test]
fn a_certificate_is_issued_over_tls_kept_private_and_used_again() {
    peers::require!("pebble", "openssl");
    let ports = (peers::free_port(), peers::free_port());
    let mut pebble = Pebble::start(ports, &[("PEBBLE_WFE_NONCEREJECT", "20")]);
    let state = tempfile::tempdir().unwrap();
    let (http, https) = ("none", format!("127.0.0.1:{}", ports.1));
    let mut onair = serve(&pebble, state.path(), (http, &https));
    let event = certificate(&mut onair);
    assert_eq!(event["domains"], "localhost");
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    let folder = state.path().join("onair/acme");
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    // The kept certificate serves at once, also without the authority.
    pebble.peer.kill();
    let mut onair = serve(&pebble, state.path(), (http, &https));
    onair.wait_named("ready");
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    onair.stop(LIMIT);
}

#[test]
fn a_failed_check_is_reported_and_tried_again_later() {
    peers::require!("pebble");
    // The authority finds nobody at its ports.
    let mut pebble = Pebble::start((peers::free_port(), peers::free_port()), &[]);
    let state = tempfile::tempdir().unwrap();
    let mut onair = serve(&pebble, state.path(), ("127.0.0.1:0", "127.0.0.1:0"));
    let failed =
        onair.wait_event("a failure", |it| it["event"] == "certificate" && it["error"].is_string());
    assert_eq!((&failed["retry_in"], &failed["domains"]), (&60.into(), &"localhost".into()));
    // The order is invalid, and the reason is that of the authority.
    let reason = failed["error"].as_str().unwrap();
    assert!(reason.contains("localhost") && reason.len() > 60, "{reason}");
    // The server's own certificate serves meanwhile.
    let ready = onair.wait_named("ready");
    assert!(ready["https_fingerprint"].is_string(), "{ready}");
    onair.stop(LIMIT);
    pebble.peer.kill();
}

#[test]
fn a_certificate_that_ends_soon_is_renewed_with_the_kept_account() {
    peers::require!("pebble", "openssl");
    let ports = (peers::free_port(), peers::free_port());
    // The authority checks the domain again.
    let variables = [("PEBBLE_WFE_NONCEREJECT", "10"), ("PEBBLE_AUTHZREUSE", "0")];
    let pebble = Pebble::start(ports, &variables);
    let state = tempfile::tempdir().unwrap();
    let https = format!("127.0.0.1:{}", ports.1);
    let mut onair = serve(&pebble, state.path(), ("none", &https));
    let first = certificate(&mut onair)["sha256"].clone();
    onair.stop(LIMIT);
    // The kept certificate becomes one that has ended.
    let folder = state.path().join("onair/acme");
    let named = |start: &str| {
        let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let is_it = |file: &std::path::PathBuf| {
            file.file_name().unwrap().to_str().unwrap().starts_with(start)
        };
        files.filter(is_it).collect::<Vec<_>>()
    };
    let [kept] = &named("certificate-")[..] else { panic!("{folder:?}") };
    let account = fs::read(&named("account-")[0]).unwrap();
    let ended = pebble.authority.expired();
    let text = [&ended.certificate, &ended.key].map(|file| fs::read_to_string(file).unwrap());
    fs::write(kept, text.concat()).unwrap();
    let mut onair = serve(&pebble, state.path(), ("none", &https));
    let renewed = certificate(&mut onair)["sha256"].clone();
    assert!(renewed != first && renewed != ended.pin.as_str(), "{renewed}");
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    assert_eq!(fs::read(&named("account-")[0]).unwrap(), account, "the same account");
    onair.stop(LIMIT);
    // It is kept, so another start asks for none.
    let mut onair = serve(&pebble, state.path(), ("none", &https));
    onair.wait_named("ready");
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    assert!(onair.events().iter().all(|it| it["event"] != "certificate"));
    onair.stop(LIMIT);
}

#[test]
fn a_certificate_is_issued_over_http_if_the_check_over_tls_fails() {
    peers::require!("pebble", "openssl");
    let ports = (peers::free_port(), peers::free_port());
    // The check over TLS comes first, and finds nobody at its port.
    let pebble = Pebble::start((ports.0, peers::free_port()), &[]);
    let state = tempfile::tempdir().unwrap();
    let http = format!("127.0.0.1:{}", ports.0);
    let https = format!("127.0.0.1:{}", ports.1);
    let mut onair = serve(&pebble, state.path(), (&http, &https));
    let event = certificate(&mut onair);
    assert!(event["valid_until"].as_i64() > Some(1_700_000_000), "{event}");
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    onair.stop(LIMIT);
}

#[test]
fn the_studios_server_gets_a_certificate_and_says_so() {
    peers::require!("pebble", "openssl");
    let ports = (peers::free_port(), peers::free_port());
    let pebble = Pebble::start(ports, &[]);
    let state = tempfile::tempdir().unwrap();
    let https = format!("127.0.0.1:{}", ports.1);
    let live = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(["live", "--built-in", "--video", "test", "--audio", "tone"]);
        command.args(["--size", "320x180", "--https", &https, "--acme", "localhost", "--json"]);
        command.args(["--acme-directory", &pebble.directory(), "--acme-ca", &pebble.certificate()]);
        let variables = [("XDG_STATE_HOME", state.path().to_str().unwrap())];
        Onair::start_command(&mut command, &variables)
    };
    let mut onair = live();
    // Until the authority answers, browsers must compare the fingerprint of the server's own certificate.
    assert!(onair.wait_named("ready")["https_fingerprint"].is_string());
    onair.wait_event("the notice", |it| {
        it["event"] == "notice" && it["problem"]["id"] == "certificate-issued"
    });
    assert!(issuer(ports.1).contains("Pebble"), "{}", issuer(ports.1));
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    // The kept certificate has no fingerprint to compare.
    let mut onair = live();
    let ready = onair.wait_named("ready");
    assert!(ready["https"].is_string() && ready["https_fingerprint"].is_null(), "{ready}");
    onair.stop(LIMIT);
}
