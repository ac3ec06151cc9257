//! Checks that every notice has its text in each language of the window and its entry in the user
//! guide.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use onair::player;
use onair::studio::notices::message::StudioMessage;
use onair::text::{Language, Problem};

/// The keys of all notices.
fn keys() -> BTreeSet<&'static str> {
    let player = player::PlayerMessage::ALL_IDS.iter().copied();
    StudioMessage::all().map(|(name, _)| name).chain(player).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_notice_of_the_table_reads_whole_in_both_languages() {
    for (key, values) in StudioMessage::all() {
        let args = values.iter().map(|name| (*name, "x".into())).collect();
        let problem = Problem::of(key, args);
        for language in Language::ALL {
            let message = language.say(&problem);
            let cure = language.cure(&problem).unwrap_or_default();
            assert!(!message.is_empty() && message != format!("{problem:?}"), "{key} has no words");
            for text in [&message, &cure] {
                assert!(!text.contains(['{', '}', '\u{2068}']), "{key}: {text}");
            }
            // Some messages consist only of another message.
            let is_value = message.chars().all(|sign| sign == 'x' || !sign.is_alphanumeric());
            let chinese = message.chars().any(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it));
            assert!(is_value || chinese == (language == Language::Chinese), "{key}: {message}");
        }
    }
}

/// The first column of the guide's tables has the key of every message, and no other.
#[test]
fn the_guide_explains_every_message_and_no_other() {
    let guide = read("docs/reference/messages.md");
    let names = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect::<Vec<_>>();
    let explained: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(explained.len(), names.len(), "a message stands in the guide twice");
    let missing: Vec<_> = keys().difference(&explained).copied().collect();
    assert!(missing.is_empty(), "not in the guide: {missing:?}");
    let unknown: Vec<_> = explained.difference(&keys()).copied().collect();
    assert!(unknown.is_empty(), "in the guide and nowhere else: {unknown:?}");
}

/// A message of a Fluent file: its variables, and those of its cure if it has one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message {
    values: BTreeSet<String>,
    cure: Option<BTreeSet<String>>,
}

impl Message {
    /// The variables of the message and its cure.
    fn all_values(&self) -> BTreeSet<String> {
        self.values.iter().chain(self.cure.iter().flatten()).cloned().collect()
    }
}

/// The messages of a language.
fn messages(language: &str) -> BTreeMap<String, Message> {
    let folder = format!("{}/assets/i18n/{language}", env!("CARGO_MANIFEST_DIR"));
    let mut messages: BTreeMap<String, Message> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".ftl") {
            continue;
        }
        let mut last = String::new();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            if let Some((id, _)) = line.split_once(" = ")
                && !line.starts_with([' ', '#'])
            {
                id.clone_into(&mut last);
                let known = messages.insert(last.clone(), Message::default());
                assert_eq!(known, None, "{id} stands twice in {language}");
            }
            // A value can be in a function: `{ GROUPED($kbps) }`.
            let values = line.split('$').skip(1);
            let names = values.filter_map(|it| it.split([' ', '}', ')']).next()).map(str::to_owned);
            if let Some(message) = messages.get_mut(&last) {
                if line.starts_with("    .cure = ") {
                    message.cure = Some(BTreeSet::new());
                }
                let values = message.cure.as_mut().unwrap_or(&mut message.values);
                values.extend(names.filter(|name| name != "cure"));
            }
        }
    }
    messages
}

/// The source code of onair, without its tests.
fn code() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("crates")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && !path.to_str().unwrap().ends_with("tests.rs")
            {
                let code = std::fs::read_to_string(path).unwrap();
                files.push(code.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
            }
        }
    }
    files
}

/// The values in a call of `problem!`: the names before each `=`.
fn values(call: &str) -> BTreeSet<String> {
    let (mut depth, mut parts, mut part) = (0_u32, Vec::new(), String::new());
    for sign in call.chars() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {}
        }
        part.push(sign);
    }
    parts.push(part);
    let name = |part: String| part.split_once('=').map(|(name, _)| name.replace(',', ""));
    parts.into_iter().filter_map(name).map(|name| name.trim().to_owned()).collect()
}

/// Prefixes of the message IDs in the tables of commands and settings.
const TABLES: [&str; 4] = ["tip-action-", "action-", "settings-page-", "setting-"];

#[test]
fn every_problem_has_its_words_in_both_languages_with_the_same_values() {
    let (english, chinese) = (messages("en"), messages("zh-CN"));
    let names = |of: &BTreeMap<String, Message>| of.keys().cloned().collect::<BTreeSet<_>>();
    let differing: Vec<_> =
        names(&english).symmetric_difference(&names(&chinese)).cloned().collect();
    assert!(differing.is_empty(), "in one language only: {differing:?}");
    for (id, message) in &english {
        assert_eq!(message, &chinese[id], "{id}");
    }
    let code = code();
    let mut used = 0;
    for call in code.iter().flat_map(|code| code.split("problem!(").skip(1)) {
        let Some((id, rest)) =
            call.trim_start().strip_prefix('"').and_then(|it| it.split_once('"'))
        else {
            continue;
        };
        let message = english.get(id).unwrap_or_else(|| panic!("{id} has no words"));
        assert_eq!(values(rest), message.all_values(), "{id}");
        used += 1;
    }
    assert!(used > 100, "{used}");
    // All texts between two quotation marks.
    let quoted: BTreeSet<&str> = code.iter().flat_map(|code| code.split('"')).collect();
    let is_quoted = |id: &str| quoted.contains(id);
    // The tables of commands and settings form their message IDs from one name.
    let in_table = |id: &str| {
        let name = TABLES.iter().find_map(|table| id.strip_prefix(table));
        name.is_some_and(|name| is_quoted(name.strip_suffix("-note").unwrap_or(name)))
    };
    let unused = |id: &&String| !is_quoted(id) && !in_table(id);
    let unused: Vec<_> = english.keys().filter(unused).collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
}

/// The output of `onair check` for a port without a listener.
fn check(args: &[&str]) -> String {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["check", &format!("rtmp://{closed}/live/key")]).args(args);
    let output = command.env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commands_speak_the_language_that_is_asked_for_and_json_is_english() {
    let (english, chinese) =
        ("connection refused: nothing is listening on this port", "连接被拒绝：该端口没有服务");
    for (args, cause, cure) in [
        (&[][..], chinese, "请检查端口"),
        (&["--lang", "en"], english, "Check the port"),
        (&["--json"], english, "Check the port"),
        (&["--json", "--lang", "zh-CN"], chinese, "请检查端口"),
    ] {
        let output = check(args);
        assert!(output.contains(cause) && output.contains(cure), "{args:?}: {output}");
    }
}

/// Runs `onair` on a Chinese system.
fn refused(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onair"));
    let output = command.args(args).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_error_has_one_language_on_standard_output_and_standard_error() {
    let half = ["serve", "--check", "--http", "none", "--user", "me", "--json"];
    for (language, words) in
        [(&[][..], "must be used together"), (&["--lang", "zh"], "必须一起使用")]
    {
        let (code, output, errors) = refused(&[&half[..], language].concat());
        assert_eq!(code, Some(2), "{errors}");
        assert!(output.contains(words) && errors.contains(words), "{output} {errors}");
    }
}

#[test]
fn an_invalid_value_is_an_error_in_the_language_that_is_asked_for() {
    let (rate, fault) = (["live", "--sample-rate", "1"], ["serve", "--fault", "oops"]);
    let (channels, seed) = (["live", "--channels", "3"], ["serve", "--fault-seed", "x"]);
    for (words, language, expected) in [
        (rate, &[][..], "onair: --sample-rate 1：AAC 不支持"),
        (rate, &["--json"], "onair: --sample-rate 1: AAC does not support"),
        (rate, &["--json", "--lang=zh"], "onair: --sample-rate 1：AAC 不支持"),
        (fault, &["--lang", "zh"], "onair: --fault oops：故障“oops”无效"),
        (["check", "--ports", "0"], &[], "onair: --ports 0：端口应为 1 到 65535"),
        (["check", "--ports", "443,x"], &["--lang", "en"], "onair: --ports x: use ports from 1"),
        (channels, &[], "onair: --channels 3：应为 1, 2 之一"),
        (seed, &["--lang", "en"], "onair: --fault-seed x: use a whole number"),
        (["--log", "", "devices"], &["--lang", "en"], "--log '' is not a log level: use off,"),
        (fault, &["--lang", "en"], "onair: --fault oops: 'oops' is not a valid fault"),
    ] {
        let (code, _, errors) = refused(&[&words[..], language].concat());
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
    // A broken key stays hidden.
    let (_, _, errors) = refused(&["serve", "--rtmp", "rtmp://h/app/0penKey"]);
    assert!(errors.contains("rtmp://h/app/***") && !errors.contains("0penKey"), "{errors}");
}

#[test]
fn what_a_command_complains_about_has_words_in_both_languages() {
    for (words, code, why, cure) in [
        (&["man", "nonsense"][..], 2, "没有“nonsense”这个命令", "请用 onair help"),
        (&["man", "--all", "/dev/null/man"], 3, "无法将 man 页面写入 /dev/null/man", ""),
        (
            &["remux", "rtmp://h/app/key", "a.mp4"],
            3,
            "这个命令需要文件",
            "onair play URL --save FILE",
        ),
    ] {
        let (exit, _, errors) = refused(words);
        assert_eq!(exit, Some(code), "{errors}");
        assert!(errors.contains(why) && errors.contains(cure), "{errors}");
    }
    for code in code() {
        let english = code.split("complain(format!").nth(1);
        assert_eq!(english.and_then(|rest| rest.lines().find(|it| !it.is_empty())), None);
    }
}
