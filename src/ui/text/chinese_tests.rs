//! Tests that connection errors and errors in settings files have Chinese texts, without English
//! words.

use std::time::Duration;

use crate::net::CertificatePin;
use crate::net::error::{
    Cause, CertificateProblem, ConnectStage, Error, FailedAttempt, NotRtmp, ProxyProblem, Refusal,
    WebProblem,
};
use crate::studio::settings::Settings;
use crate::studio::settings::scenes::collection;
use crate::text::{Language, Problem};

/// Returns every cause that can end a connection. The code does not compile until a new cause is
/// added here.
fn every_cause() -> Vec<Cause> {
    use CertificateProblem as Problem;
    let text = || "x".to_owned();
    let problems = [
        Problem::Expired { not_after: Some(1) },
        Problem::Expired { not_after: None },
        Problem::NotYetValid { not_before: Some(1) },
        Problem::NotYetValid { not_before: None },
        Problem::WrongName { host: text(), names: Vec::new() },
        Problem::WrongName { host: text(), names: vec![text()] },
        Problem::UnknownIssuer,
        Problem::NoRoots,
        Problem::OldVersion,
        Problem::Revoked,
        Problem::BadSignature,
        Problem::WrongPurpose,
        Problem::OwnAuthority,
        Problem::NotPinned { expected: text(), presented: text(), accepted: false },
        Problem::NotPinned { expected: text(), presented: text(), accepted: true },
    ];
    let refusals = [
        Refusal::Unauthorized,
        Refusal::Rejected,
        Refusal::Busy,
        Refusal::BadApp,
        Refusal::NotFound,
        Refusal::Closed,
        Refusal::Failed,
    ];
    let proxies = [
        ProxyProblem::Unreachable(Box::new(Cause::NoSuchHost)),
        ProxyProblem::NeedsLogin,
        ProxyProblem::WrongLogin,
        ProxyProblem::OtherLogin(text()),
        ProxyProblem::Refused(text().into()),
    ];
    let of_the_web = [
        WebProblem::RoundAndRound,
        WebProblem::Nowhere(crate::net::web::UrlError::NoHost),
        WebProblem::Unsafe,
        WebProblem::OtherProtocol,
        WebProblem::Packed(text()),
        WebProblem::TooMuch { kib: 64 },
        WebProblem::TooLittle,
        WebProblem::OtherPart,
    ];
    let after = Duration::from_secs(2);
    let tried =
        FailedAttempt { port: 1935, stage: ConnectStage::Tcp, cause: Cause::ConnectionRefused };
    let mut all = vec![
        Cause::NoSuchHost,
        Cause::LookupFailed(text()),
        Cause::ConnectionRefused,
        Cause::TimedOut { after },
        Cause::HostUnreachable,
        Cause::Forbidden,
        Cause::Closed,
        Cause::Unanswered { after },
        Cause::AcceptedThenClosed { after },
        Cause::ClosedEachTime { after, times: 3 },
        Cause::Reset,
        Cause::NoProgress { after },
        Cause::NotTls,
        Cause::Tls(text().into()),
        Cause::TrustFile { path: text(), reason: text().into() },
        Cause::NotRtmp(NotRtmp::Http),
        Cause::NotRtmp(NotRtmp::Tls),
        Cause::NotRtmp(NotRtmp::Banner(text())),
        Cause::NotRtmp(NotRtmp::Bytes(vec![1])),
        Cause::SrtSilent { after },
        Cause::SrtNoCaller { after },
        Cause::Tunnel { status: 0, reason: text() },
        Cause::Tunnel { status: 404, reason: text() },
        Cause::Answer { status: 403, reason: text(), cookie: false },
        Cause::Answer { status: 403, reason: text(), cookie: true },
        Cause::Answer { status: 404, reason: text(), cookie: false },
        Cause::Answer { status: 500, reason: text(), cookie: false },
        Cause::NoEndpoint { status: 404 },
        Cause::ReorderedFrames,
        Cause::Protocol(text().into()),
        Cause::NetworkChanged,
        Cause::NoNetwork,
        Cause::Crashed,
        Cause::Silent,
        Cause::StillThere(Box::new(Cause::Closed)),
        Cause::Codecs(vec![text()]),
        Cause::Bind { from: text(), reason: text().into() },
        Cause::EveryPort(vec![tried]),
    ];
    let pin = "0".repeat(64).parse::<CertificatePin>().ok();
    assert!(pin.is_some());
    for problem in problems {
        for presented in [None, pin] {
            all.push(Cause::Certificate { problem: problem.clone(), presented });
        }
    }
    for refusal in refusals {
        for code in [String::new(), "NetStream.X".to_owned()] {
            all.push(Cause::Status { refusal, code, description: String::new() });
        }
    }
    for problem in proxies {
        all.push(Cause::Proxy { proxy: text(), problem });
    }
    all.extend(of_the_web.map(Cause::Web));
    for cause in &all {
        match cause {
            Cause::NoSuchHost
            | Cause::LookupFailed(_)
            | Cause::ConnectionRefused
            | Cause::TimedOut { .. }
            | Cause::HostUnreachable
            | Cause::Forbidden
            | Cause::Closed
            | Cause::Unanswered { .. }
            | Cause::AcceptedThenClosed { .. }
            | Cause::ClosedEachTime { .. }
            | Cause::Reset
            | Cause::NoProgress { .. }
            | Cause::Certificate { .. }
            | Cause::NotTls
            | Cause::Tls(_)
            | Cause::TrustFile { .. }
            | Cause::NotRtmp(_)
            | Cause::SrtSilent { .. }
            | Cause::SrtNoCaller { .. }
            | Cause::Tunnel { .. }
            | Cause::Answer { .. }
            | Cause::NoEndpoint { .. }
            | Cause::ReorderedFrames
            | Cause::Protocol(_)
            | Cause::Web(_)
            | Cause::Status { .. }
            | Cause::NetworkChanged
            | Cause::NoNetwork
            | Cause::Crashed
            | Cause::Silent
            | Cause::StillThere(_)
            | Cause::Codecs(_)
            | Cause::Proxy { .. }
            | Cause::Bind { .. }
            | Cause::EveryPort(_)
            // This cause contains the system's own text.
            | Cause::Io(_) => {}
        }
    }
    all
}

#[test]
fn every_cause_and_its_advice_are_shown_in_chinese() {
    let stages = [
        ConnectStage::Dns,
        ConnectStage::Tcp,
        ConnectStage::Tls,
        ConnectStage::Handshake,
        ConnectStage::Connect,
        ConnectStage::Publish,
        ConnectStage::Play,
        ConnectStage::Request,
        ConnectStage::Ice,
        ConnectStage::Dtls,
        ConnectStage::Media,
    ];
    for cause in every_cause() {
        for stage in stages {
            let error = Error { stage, cause: cause.clone(), peer: "x".into() };
            let problem = error.problem();
            let cure = Language::Chinese.cure(&problem);
            for text in [Some(Language::Chinese.say(&problem)), cure] {
                let text = text.unwrap_or_else(|| panic!("{error:?} has no cure"));
                assert!(text.contains(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it)), "{text}");
            }
        }
    }
}

/// Hand-written collections with an error in each field. Each collection has only a few errors,
/// because further errors are only counted.
const INVALID_COLLECTIONS: &[&str] = &[
    r#"main_filters = 7
    main_if_black = "nowhere"
    transition = "hop"
    transition_ms = -1
    current = 7
    sources = 7
    scenes = 7"#,
    r#"sources = [{ name = "A", source = "webcam", if_black = "x y", pointer = 7, when_hidden = "x", at_end = "x", files = 7, text = 7, slides = { x = 1 } }]"#,
    r#"sources = [{ name = 7, source = "file", files = ["", "/a"], filters = [{ kind = "x" }, { kind = "blur", sigma = "x" }] }]"#,
    r#"sources = [
        { source = "window" }, { source = "stream:x" }, { source = "color" }, { source = "color:red" },
        { source = "countdown:x" }, { source = "text" }, { source = "camera1" }, { source = "slides" },
        { source = "image" },
    ]"#,
    r#"sources = [{ name = "A", source = "test" }]
    scenes = [
        { name = "S", transition = "stinger", stinger = { matte = "x" }, items = [
            { source = "nobody" }, { scene = "nobody" }, {},
            { source = "A", crop = 7, fit = "x", hidden = 7, x = "x", opacity = 9 },
        ] },
        { name = "T", items = 7 },
        { name = "U", items = [{ scene = "U" }] },
    ]"#,
    r#"[[strips]]
    source = "gramophone"
    [[strips]]
    source = "app"
    [[strips]]
    source = "mic"
    name = "Mic"
    gain_db = 99
    muted = 7
    tracks = [9]
    monitoring = "x"
    at_end = "x"
    if_silent = "x"
    filters = [7, { kind = "x" }, { kind = "gain", gain = 9999, enabled = 7, x = 1 }]"#,
    r#"[[strips]]
    source = 7
    [[strips]]
    source = "mic"
    filters = 7
    gain_db = "x""#,
];

/// Checks that a Chinese text contains no English phrase: at most two words in Latin letters in a
/// row, such as names or words from a file.
fn assert_chinese(problem: &Problem) {
    let text = Language::Chinese.say(problem);
    let rows_of_words = text.split(|one: char| !one.is_ascii() || ",:;'".contains(one));
    let most = rows_of_words.map(|row| row.split_whitespace().count()).max();
    assert!(*problem != text && most < Some(3), "{problem}: {text}");
}

#[test]
fn errors_in_a_collection_are_shown_in_chinese() {
    let mut seen = 0;
    for bad in INVALID_COLLECTIONS {
        let text = format!("version = 1\n[collection]\n{bad}");
        let import = collection::import_text(&text).unwrap();
        import.left_out.iter().for_each(assert_chinese);
        seen += import.left_out.len();
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn errors_of_a_whole_file_are_shown_in_chinese() {
    let import_error =
        |text: &str| Language::Chinese.say(&collection::import_text(text).unwrap_err());
    let text = import_error("[collection]\nname = \"名\\m\"");
    let words = "第 2 行第 11 列：反斜杠无效；路径中的一个反斜杠要写成两个（missing escaped value";
    assert!(text.starts_with(words) && text.ends_with('）'), "{text}");
    assert_eq!(
        import_error("{\"a\": [1 2]}"),
        "第 1 行第 10 列：这不是 JSON（expected `,` or `]`）"
    );
    let warning = Language::Chinese.say(&Settings::parse("a = b").1[0]);
    assert!(warning.starts_with("已忽略所有设置：第 1 行第 5 列：这个值无效"), "{warning}");
}

#[test]
fn errors_in_settings_are_shown_in_chinese() {
    let text = r#"
        version = 99
        video = "gramophone"
        audio = 7
        delay_ms = -1
        gain_db = 99
        muted = 7
        [quality]
        size = "x"
        fps = 9999
        video_kbps = 1
        [[targets]]
        server = 7
        [[targets]]
        name = "A"
        server = "http://x"
        [window]
        language = "x"
        theme = "x"
        [recording]
        format = "x"
        [player]
        volume = 7
        [server]
        successor = "x"
        [cameras]
        a = 7
        [collection]
        scenes = 7
        [chat]
        size = "x"
    "#;
    let (_, warnings) = Settings::parse(text);
    assert!(warnings.len() > 12, "{warnings:#?}");
    warnings.iter().for_each(assert_chinese);
}
