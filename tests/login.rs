//! Tests of RTMP authentication by Adobe's and Limelight's schemes. Third-party clients and onair
//! log in to onair's server. The server must refuse every other login.

use std::fs;

use crate::peers::{self, LIMIT, Onair, ffmpeg, others};

const SMALL: &[&str] =
    &["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "500k"];

/// A server that requires the user `me` and the password `pa55word`, and its `host:port`.
fn serve(scheme: &str) -> (Onair, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "pa55word\n").unwrap();
    let base = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let login = ["--user", "me", "--password-file", file.to_str().unwrap(), "--auth", scheme];
    let mut server = Onair::start(&[&base[..], &login].concat());
    let ready = server.wait_named("ready");
    let address = ready["rtmp"].as_str().unwrap().strip_prefix("rtmp://").unwrap().to_owned();
    (server, address)
}

#[test]
fn ffmpeg_comes_in_by_both_schemes_and_not_with_a_wrong_password() {
    peers::require!("ffmpeg", "ffprobe");
    for scheme in ["adobe", "llnw"] {
        let (mut server, address) = serve(scheme);
        for carrier in ["rtmp", "rtmpt"] {
            let url = format!("{carrier}://me:pa55word@{address}/live/{carrier}");
            let _publisher = ffmpeg::publish(&url, None);
            let publish = server.wait_event("publish", |event| {
                event["event"] == "publish" && event["stream"] == carrier
            });
            assert_eq!(publish["app"], "live", "{publish}");
            // Players need no login.
            let probe = ffmpeg::probe(format!("rtmp://{address}/live/{carrier}"));
            assert_eq!(probe.stream("video")["codec_name"], "h264");
        }
        for (who, words) in [("me:wrong@", "password"), ("", "credentials")] {
            let url = format!("rtmp://{who}{address}/live/other");
            let mut refused = ffmpeg::publish(&url, Some(5));
            assert!(!refused.wait(LIMIT).success());
            assert!(refused.errors().contains(words), "{}", refused.errors());
        }
        let output = server.peer.output();
        assert!(!output.contains("\"other\"") && !output.contains("pa55word"), "{output}");
    }
}

#[test]
fn gstreamer_comes_in_by_adobes_scheme() {
    peers::require!("gst-launch-1.0");
    let (mut server, address) = serve("adobe");
    let url = format!("rtmp://me:pa55word@{address}/live/show");
    let mut publisher = others::gstreamer_publish(&url, 60);
    server.wait_named("publish");
    publisher.wait(LIMIT);
}

#[test]
fn we_come_in_by_both_schemes_and_a_wrong_password_ends_at_once() {
    for scheme in ["adobe", "llnw"] {
        let (mut server, address) = serve(scheme);
        let live = |who: &str| {
            let to = format!("rtmp://{who}{address}/live/show");
            let words = ["live", "--to", &to, "--duration", "2s"];
            let mut onair = Onair::start(&[&words[..], SMALL].concat());
            let code = onair.peer.wait(LIMIT).code();
            (code, onair.peer.output() + &onair.peer.errors())
        };
        let (code, output) = live("me:pa55word@");
        assert_eq!(code, Some(0), "{output}");
        assert!(!output.contains("pa55word"), "{output}");
        server.wait_named("publish");
        for who in ["me:wrong@", "you:pa55word@", ""] {
            let (code, output) = live(who);
            assert_eq!(code, Some(7), "{who}: {output}");
            assert!(output.contains("user name and password"), "{output}");
        }
        let words = ["check", &format!("rtmp://me:pa55word@{address}/live/show")];
        assert_eq!(Onair::start(&words).peer.wait(LIMIT).code(), Some(0));
        let words = ["check", &format!("rtmp://me:wrong@{address}/live/show")];
        assert_eq!(Onair::start(&words).peer.wait(LIMIT).code(), Some(7));
    }
}

#[test]
fn half_a_login_is_a_usage_error() {
    let mut onair = Onair::start(&["serve", "--user", "me"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2));
    let mut onair = Onair::start(&["serve", "--user", "me", "--password-file", "/absent"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(3));
    let errors = onair.peer.errors();
    let why = "--password-file: onair cannot read /absent: there is no such file or folder. Check";
    assert!(errors.contains(why), "{errors}");
}
