//! Every sentence of the parts below has its pair, and every pair its sentence. (It is long because every
//! family of texts has its test here.)

use std::time::Duration;

use crate::net::CertificatePin;
use crate::net::error::{
    Cause, CertificateProblem, ConnectStage, Error, FailedAttempt, NotRtmp, ProxyProblem, Refusal,
    WebProblem,
};
use crate::studio::notices::{import_report, settings_warnings};
use crate::studio::settings::Settings;
use crate::studio::settings::scenes::collection;
use crate::text::Language;
use crate::text::causes::{Causes, MAX_DEPTH, SentencePiece};

fn chinese() -> Causes {
    Causes::parse(include_str!("../../../assets/i18n/zh-CN/causes.txt"))
}

#[test]
fn places_are_found_and_looked_up_themselves() {
    let causes = Causes::parse("a {1} b {2}\n{2}乙{1}\n\n# x\nin\n内\n");
    assert_eq!(causes.say("a in b out"), "out乙内");
    assert_eq!(causes.say("a x b y b z"), "y b z乙x");
    assert_eq!(causes.say("in."), "内");
    assert_eq!(causes.say("else"), "else");
    assert_eq!(Causes::default().say("in"), "in");
    let deep = Causes::parse("({1})\n<{1}>\n");
    assert_eq!(deep.say("((((((x))))))"), "<<<<((x))>>>>");
}

#[test]
fn hostile_words_do_no_harm() {
    let causes = chinese();
    for text in ["", "{", "{1}", "; the server says ", ": ", "\u{202e}", "(issuer)"] {
        let _ = causes.say(text);
    }
    let _ = Causes::parse("{99999999999999999999}\n{2}\n\nlonely");
}

/// Every cause that a connection can end with; a new one does not compile until it is here.
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
        Cause::Reset,
        Cause::NoProgress { after },
        Cause::NotTls,
        Cause::Tls(text().into()),
        Cause::TrustFile { path: text(), reason: text().into() },
        Cause::NotRtmp(NotRtmp::Http),
        Cause::NotRtmp(NotRtmp::Tls),
        Cause::NotRtmp(NotRtmp::Banner(text())),
        Cause::NotRtmp(NotRtmp::Bytes(vec![1])),
        Cause::Tunnel { status: 0, reason: text() },
        Cause::Tunnel { status: 404, reason: text() },
        Cause::Answer { status: 403, reason: text() },
        Cause::Answer { status: 404, reason: text() },
        Cause::Answer { status: 500, reason: text() },
        Cause::Protocol(text().into()),
        Cause::NetworkChanged,
        Cause::NoNetwork,
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
            | Cause::Reset
            | Cause::NoProgress { .. }
            | Cause::Certificate { .. }
            | Cause::NotTls
            | Cause::Tls(_)
            | Cause::TrustFile { .. }
            | Cause::NotRtmp(_)
            | Cause::Tunnel { .. }
            | Cause::Answer { .. }
            | Cause::Protocol(_)
            | Cause::Web(_)
            | Cause::Status { .. }
            | Cause::NetworkChanged
            | Cause::NoNetwork
            | Cause::Silent
            | Cause::StillThere(_)
            | Cause::Codecs(_)
            | Cause::Proxy { .. }
            | Cause::Bind { .. }
            | Cause::EveryPort(_)
            // The system's own words.
            | Cause::Io(_) => {}
        }
    }
    all
}

#[test]
fn every_cause_and_its_advice_are_said_in_chinese() {
    let stages = [
        ConnectStage::Dns,
        ConnectStage::Tcp,
        ConnectStage::Tls,
        ConnectStage::Handshake,
        ConnectStage::Connect,
        ConnectStage::Publish,
        ConnectStage::Play,
        ConnectStage::Request,
        ConnectStage::Media,
    ];
    for cause in every_cause() {
        for stage in stages {
            let error = Error { stage, cause: cause.clone(), peer: "x".into() };
            let problem = error.problem();
            let cure = Language::Chinese.cure(&problem);
            for said in [Some(Language::Chinese.say(&problem)), cure] {
                let said = said.unwrap();
                assert!(said.contains(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it)), "{said}");
            }
        }
    }
}

/// The code below a folder, file by file; long texts, which are broken there, in one piece.
fn code(below: &str) -> Vec<(String, String)> {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && !path.ends_with("tests.rs")
                && !is_for_tests(&path)
            {
                let code = std::fs::read_to_string(&path).unwrap();
                let mut parts = code.split("\\\n");
                let first = parts.next().unwrap_or_default().to_owned();
                let whole = parts.fold(first, |code, part| code + part.trim_start());
                files.push((path.display().to_string(), whole));
            }
        }
    }
    files
}

/// Whether the module that it belongs to has it for its tests only.
fn is_for_tests(path: &std::path::Path) -> bool {
    let (folder, name) = (path.parent().unwrap(), path.file_stem().unwrap().display());
    let declared = format!("#[cfg(test)]\nmod {name};");
    [folder.with_extension("rs"), folder.join("mod.rs")]
        .into_iter()
        .filter_map(|above| std::fs::read_to_string(above).ok())
        .any(|code| code.contains(&declared))
}

/// The texts in code, but for those of its tests.
fn texts(code: &str) -> Vec<String> {
    let tests = |(at, _): &(usize, &str)| {
        let declared = code.get(*at..).and_then(|rest| rest.lines().nth(1)).unwrap_or_default();
        declared.starts_with("mod ") && declared.ends_with('{')
    };
    let end = code.match_indices("#[cfg(test)]\n").find(tests).map_or(code.len(), |(at, _)| at);
    let code = code.get(..end).unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let code = code.replace("'\"'", "").replace("\\\"", "\u{1}");
    code.split('"').skip(1).step_by(2).map(|text| text.replace('\u{1}', "\"")).collect()
}

/// The numbers of all filters, as they are called where one of OBS's was beyond what onair has.
fn numbers() -> Vec<String> {
    let pictures =
        crate::compose::filter::Filter::kinds().into_iter().flat_map(|it| it.parameters());
    let sounds = crate::mix::filter::Filter::KINDS.into_iter().flat_map(|it| it.parameters());
    let names = pictures.map(|it| it.name).chain(sounds.map(|it| it.name));
    names.map(|it| format!("the {}", it.replace('_', " "))).collect()
}

#[test]
fn what_an_import_leaves_out_is_said_in_chinese() {
    let causes = chinese();
    // The milliseconds of a delay are called by its name.
    let numbers = numbers().into_iter().filter(|it| it != "the ms");
    let all =
        import_report::ALL.iter().chain(settings_warnings::ALL).map(|it| filled(it)).chain(numbers);
    let missing: Vec<_> = all.filter(|english| causes.find(english, MAX_DEPTH).is_none()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    // As deep as it goes, and with what names may have in them.
    for (english, ours) in [
        (
            "'Cam: 2': the saturation (6.00, which became 4.00), of its filter color_filter 'A: b'",
            "“Cam: 2”：滤镜 color_filter 'A: b'：饱和度（6.00 改为 4.00）",
        ),
        ("'Game' (a window: add it anew)", "“Game”（一个窗口：请重新添加）"),
        ("'Alerts' (browser_source)", "“Alerts”（browser_source）"),
        ("filters of 'Cam': a, b 'c', and 3 more", "“Cam”的滤镜：a, b 'c'，另有 3 个"),
        (
            "The setting 'collection.scenes.items.opacity' in line 3, column 9 is ignored: it is not a number from 0 to 1",
            "忽略第 3 行第 9 列的设置“collection.scenes.items.opacity”：不是 0 到 1 之间的数",
        ),
    ] {
        assert_eq!(causes.say(english), ours);
    }
}

/// Collections that were written by hand, with something bad in each place; few in each, because what
/// is more is only counted.
const BAD: &[&str] = &[
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
    heard = "x"
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

#[test]
fn what_is_bad_in_a_collection_is_said_in_chinese() {
    let causes = chinese();
    let mut seen = 0;
    for collection in BAD {
        let text = format!("version = 1\n[collection]\n{collection}");
        let import = crate::studio::settings::scenes::collection::import_text(&text).unwrap();
        for english in &import.left_out {
            seen += 1;
            let said = causes.say(english).into_owned();
            // What stands between Chinese words are names, and words as they stand in files.
            let rows_of_words = said.split(|one: char| !one.is_ascii() || ",:;'".contains(one));
            let most = rows_of_words.map(|row| row.split_whitespace().count()).max();
            assert!(said != *english && most < Some(3), "{english}: {said}");
        }
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn what_is_wrong_with_a_file_as_such_is_said_in_chinese() {
    let causes = chinese();
    for english in crate::studio::settings::reading::syntax::all() {
        let said = causes.find(english, MAX_DEPTH);
        assert!(said.is_some(), "{english}");
    }
    let said = |text: &str| causes.say(&collection::import_text(text).unwrap_err()).into_owned();
    let text = said("[collection]\nname = \"名\\m\"");
    let words =
        "第 2 行第 11 列：反斜杠后的内容无效：路径中的反斜杠要写两次（missing escaped value";
    assert!(text.starts_with(words) && text.ends_with('）'), "{text}");
    assert_eq!(said("{\"a\": [1 2]}"), "第 1 行第 10 列：缺少逗号或右括号（expected `,` or `]`）");
    let bad = Settings::parse("a = b").1;
    let said = causes.say(&bad[0]);
    assert!(said.starts_with("未使用任何设置：第 1 行第 5 列：这不是值"), "{said}");
}

#[test]
fn what_is_bad_in_settings_is_said_in_chinese() {
    let causes = chinese();
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
    let missing: Vec<_> = warnings
        .iter()
        .map(|english| (english, causes.say(english).into_owned()))
        .filter(|(english, said)| {
            let rows_of_words = said.split(|one: char| !one.is_ascii() || ",:;'".contains(one));
            let most = rows_of_words.map(|row| row.split_whitespace().count()).max();
            said == *english || most >= Some(3)
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// So that none goes past the table of them.
#[test]
fn what_an_import_leaves_out_has_no_words_but_those_of_the_table() {
    let is_word = |word: &&str| word.chars().filter(char::is_ascii_alphabetic).count() >= 2;
    let mut seen = 0;
    for (path, code) in code("src/studio") {
        let own = ["scenes/layout", "scenes/properties", "sections/filters", "sections/strips"];
        let own = own.iter().any(|name| path.ends_with(&format!("studio/settings/{name}.rs")));
        if !own && !path.contains("/studio/settings/import/") {
            continue;
        }
        seen += 1;
        for text in texts(&code).into_iter().filter(|text| text.is_ascii()) {
            let words = filled(&text);
            let words = words.split(' ').filter(is_word).count();
            assert!(
                words < 2,
                "{path}: {text:?} is in neither import_report nor settings_warnings of studio"
            );
        }
    }
    assert!(seen >= 16, "{seen}");
}

/// A format with 7 for each value.
fn filled(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| match part.split_once('}') {
        Some((_, rest)) => all + "7" + rest,
        None => all + "{" + part,
    })
}

/// English words that nothing says any more have no business here.
#[test]
fn all_of_them_are_said_somewhere() {
    // What a problem says is said where it is put into a text.
    let folder = format!("{}/assets/i18n/en", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let problems = files.map(|path| std::fs::read_to_string(path).unwrap().replace('"', "\\\""));
    let code = code("src").into_iter().map(|(_, code)| code);
    let code: String = code.chain(numbers()).chain(problems).collect();
    for pair in &chinese().pairs {
        let longest = pair.english.iter().max_by_key(|words| words.len()).unwrap();
        let system = longest.contains("(os error");
        let quoted = longest.trim_matches([' ', ':']).replace('"', "\\\"");
        assert!(system || code.contains(&quoted), "{:?}", pair.english);
    }
}

#[test]
fn no_space_stands_between_chinese_words_and_a_chinese_name() {
    let causes = chinese();
    for pair in &causes.pairs {
        let said = causes.say(&pair.english.join("话筒")).into_owned();
        // Written otherwise, so that an address with words after it is no name.
        let words = said.replace("话筒", "\u{1}");
        let words = words.replace(|one: char| ('\u{4E00}'..='\u{9FFF}').contains(&one), "字");
        for torn in ["字 \u{1}", "\u{1} 字", "\u{1} \u{1}"] {
            assert!(!words.contains(torn), "{said}");
        }
    }
}

#[test]
fn no_pair_hides_another() {
    let causes = chinese();
    for (at, pair) in causes.pairs.iter().enumerate() {
        let english = pair.english.join("7");
        let first = causes.pairs.iter().position(|it| it.places(&english).is_some());
        assert_eq!(first, Some(at), "{english}");
        let most =
            pair.ours.iter().filter(|piece| matches!(piece, SentencePiece::Place(_))).count();
        assert_eq!(most, pair.english.len() - 1, "{english}: places differ");
    }
    assert!(causes.pairs.len() > 100);
}
