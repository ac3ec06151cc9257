//! Reads the Fluent files of a language at their first use, shares them, and formats texts from
//! them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::text::language::Language;
use crate::text::problem::{Problem, Value};
use crate::text::spacing::closed_up;

/// Includes the Fluent files of a language.
macro_rules! files {
    ($tag:literal) => {
        [
            include_str!(concat!("../../../../assets/i18n/", $tag, "/onair.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/notices.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/commands.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/devices.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/health.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/files.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/monitor.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/inspector.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/net.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/output.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/player.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/media.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/settings.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/sources.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/hotkeys.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/settings_page.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/profiles.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/guide.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/recordings.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/help.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/canvas.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/share.ftl")),
            include_str!(concat!("../../../../assets/i18n/", $tag, "/server.ftl")),
        ]
    };
}

/// The operating system that has texts of its own.
const SYSTEM: Option<&str> = if cfg!(windows) { Some("windows") } else { None };

static ENGLISH_BUNDLE: LazyLock<Bundle> =
    LazyLock::new(|| Bundle::read(Language::English, files!("en")));
static CHINESE_BUNDLE: LazyLock<Bundle> =
    LazyLock::new(|| Bundle::read(Language::Chinese, files!("zh-CN")));

/// Formats a whole number in groups of three digits, separated by non-breaking spaces (ISO 80000-1,
/// section 7.3.1).
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// Formats a whole number in groups of digits: `{ GROUPED($kbps) }`. Values stay plain numbers, for
/// programs that read them. Other values are unchanged.
fn grouped_value<'a>(values: &[FluentValue<'a>]) -> FluentValue<'a> {
    let number = match values {
        [FluentValue::String(text)] => text.parse().ok(),
        [FluentValue::Number(number)] => number.as_string().parse().ok(),
        _ => None,
    };
    match (number, values) {
        (Some(number), _) => grouped(number).into(),
        (None, [value, ..]) => value.clone(),
        (None, []) => FluentValue::None,
    }
}

/// Formats a value as the beginning of a sentence: `{ SENTENCE($cause) }`.
fn sentence_value<'a>(values: &[FluentValue<'a>]) -> FluentValue<'a> {
    match values {
        [FluentValue::String(text)] => sentence(text).into(),
        [value, ..] => value.clone(),
        [] => FluentValue::None,
    }
}

/// Capitalizes an ordinary first word. The name onair, host names and paths stay unchanged.
pub fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default().trim_end_matches([',', ':', ';']);
    let ordinary = word != "onair" && word.chars().all(|it| it.is_alphabetic() || it == '-');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if ordinary => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// The messages of a language.
struct Bundle(FluentBundle<FluentResource>);

impl Bundle {
    fn read<const N: usize>(language: Language, files: [&str; N]) -> Self {
        let tag = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Fonts that lack the marks around values draw boxes for them. Only Chinese texts need the
        // marks, to find superfluous spaces, and these marks are removed afterwards.
        bundle.set_use_isolating(language == Language::Chinese);
        let functions = [
            bundle.add_function("GROUPED", |values, _| grouped_value(values)),
            bundle.add_function("SENTENCE", |values, _| sentence_value(values)),
        ];
        for error in functions.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "adding a function to the texts failed");
        }
        for file in files {
            // A test ensures that every message is readable. If a message is not readable, the
            // others are used.
            let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(it, _)| it);
            if let Err(errors) = bundle.add_resource(resource) {
                tracing::error!(?errors, language = language.tag(), "a message key occurs twice");
            }
        }
        Self(bundle)
    }

    /// Returns the text of a message, or of its attribute, with these values. The text for `system`, which is the name of
    /// an operating system, has priority: its attribute is called `windows` or, for an attribute, `cure-windows`.
    fn text(
        &self,
        (id, attribute): (&str, Option<&str>),
        system: Option<&str>,
        args: &FluentArgs<'_>,
    ) -> Option<String> {
        let message = self.0.get_message(id)?;
        let of_system = system.and_then(|system| match attribute {
            Some(name) => message.get_attribute(&format!("{name}-{system}")),
            None => message.get_attribute(system),
        });
        let pattern = match (of_system, attribute) {
            (Some(found), _) => found.value(),
            (None, Some(name)) => message.get_attribute(name)?.value(),
            (None, None) => message.value()?,
        };
        let mut errors = Vec::new();
        Some(self.0.format_pattern(pattern, Some(args), &mut errors).into_owned())
    }
}

impl Language {
    fn bundle(self) -> &'static Bundle {
        match self {
            Self::English => &ENGLISH_BUNDLE,
            Self::Chinese => &CHINESE_BUNDLE,
        }
    }

    /// Returns the text in this language, or the English text if the message is missing.
    fn text(self, id: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
        if self == Self::Chinese
            && let Some(text) = self.bundle().text((id, attribute), SYSTEM, args)
        {
            return Some(closed_up(&text));
        }
        ENGLISH_BUNDLE.text((id, attribute), SYSTEM, args)
    }

    /// Returns the text of a problem in this language.
    pub fn say(self, problem: &Problem) -> String {
        if let Some(words) = problem.as_words() {
            return words.to_owned();
        }
        match self.text(problem.id(), None, &self.args(problem)) {
            Some(mut text) => {
                text.truncate(text.trim_end().len());
                text
            }
            None => format!("{problem:?}"),
        }
    }

    /// Returns the cure of a problem: the cure that was set for the problem, otherwise the cure of
    /// its message, otherwise the cure of a problem inside it.
    pub fn cure(self, problem: &Problem) -> Option<String> {
        if let Some(cure) = problem.own_cure() {
            return Some(self.say(cure)).filter(|cure| !cure.is_empty());
        }
        let inner = problem.inner().find_map(|inner| self.cure(inner));
        let mut args = self.args(problem);
        args.set("cure", inner.clone().unwrap_or_default());
        let own = self.text(problem.id(), Some("cure"), &args).map(|it| it.trim().to_owned());
        own.or(inner).filter(|cure| !cure.is_empty())
    }

    /// Returns the text of a problem and its cure, as two sentences.
    pub fn say_with_cure(self, problem: &Problem) -> String {
        let text = self.say(problem);
        match self.cure(problem) {
            Some(cure) => self.joined(&text, &cure),
            None => text,
        }
    }

    /// Joins two sentences. The first sentence may lack its full stop.
    pub fn joined(self, first: &str, second: &str) -> String {
        let ends = first.ends_with(['.', '!', '?', ':', '。', '！', '？', '：']);
        let between = match (second.is_empty(), self, ends) {
            (true, ..) | (_, Self::Chinese, true) => "",
            (_, Self::Chinese, false) => "。",
            (_, Self::English, true) => " ",
            (_, Self::English, false) => ". ",
        };
        format!("{first}{between}{second}")
    }

    /// Formats a value of a problem in this language.
    pub fn value(self, value: &Value) -> String {
        match value {
            Value::Text(text) => text.to_string(),
            Value::Number(number) => number.to_string(),
            Value::List(names) => names.join(if self == Self::Chinese { "、" } else { ", " }),
            Value::Problem(problem) => self.say(problem),
            Value::Problems(problems) => {
                let texts: Vec<_> = problems.iter().map(|it| self.say(it)).collect();
                texts.join(if self == Self::Chinese { "；" } else { "; " })
            }
        }
    }

    fn args(self, problem: &Problem) -> FluentArgs<'static> {
        let value = |value: &Value| match value {
            Value::Number(number) => FluentValue::from(*number),
            other => FluentValue::from(self.value(other)),
        };
        problem.args().iter().map(|(name, it)| (*name, value(it))).collect()
    }
}

/// The texts of the window in the chosen language, with English texts for missing messages. Texts
/// without values are formatted once and kept.
#[derive(Debug)]
pub struct Texts {
    language: Language,
    kept: RefCell<HashMap<&'static str, Arc<str>>>,
}

impl Texts {
    /// Creates the texts in `language`.
    pub fn new(language: Language) -> Self {
        Self { language, kept: RefCell::default() }
    }

    /// Returns the chosen language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Returns the text of `key`.
    pub fn get(&self, key: &'static str) -> Arc<str> {
        if let Some(text) = self.kept.borrow().get(key) {
            return Arc::clone(text);
        }
        let text: Arc<str> = self.text(key, &FluentArgs::new()).into();
        self.kept.borrow_mut().insert(key, Arc::clone(&text));
        text
    }

    /// Returns the text of `key` with these values.
    pub fn with<'a>(&self, key: &str, args: &[(&'a str, Cow<'a, str>)]) -> String {
        let args = args.iter().map(|(name, value)| (*name, value.as_ref()));
        self.text(key, &args.collect())
    }

    /// Returns the text of `key` with a number, which selects the plural form.
    pub fn counted(&self, key: &str, count: usize) -> String {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.text(key, &[("count", count)].into_iter().collect())
    }

    fn text(&self, key: &str, args: &FluentArgs<'_>) -> String {
        let text = self.language.text(key, None, args);
        text.unwrap_or_else(|| key.to_owned())
    }

    /// Returns the text of a problem in the chosen language.
    pub fn say(&self, problem: &Problem) -> String {
        self.language.say(problem)
    }

    /// Returns the text of a problem and its cure in the chosen language.
    pub fn say_with_cure(&self, problem: &Problem) -> String {
        self.language.say_with_cure(problem)
    }

    /// Returns the cure of a problem in the chosen language.
    pub fn cure(&self, problem: &Problem) -> Option<String> {
        self.language.cure(problem)
    }

    /// Returns true if `key` has a text.
    pub fn has(&self, key: &str) -> bool {
        self.language.bundle().0.has_message(key) || ENGLISH_BUNDLE.0.has_message(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitrate_is_grouped_in_both_languages_and_its_value_stays_plain() {
        let problem = crate::problem!("bitrate-restored", kbps = "12500");
        for language in Language::ALL {
            let text = language.say(&problem);
            assert!(text.contains("12\u{a0}500"), "{text}");
        }
        assert_eq!(problem.args()[0].1, Value::from("12500"));
        // A text that is no number stays as it is.
        let odd = crate::problem!("bitrate-restored", kbps = "many");
        assert!(Language::English.say(&odd).contains("many\u{a0}kbps"));
    }

    #[test]
    fn a_message_about_a_system_has_a_text_for_windows_with_its_cure() {
        let args = FluentArgs::new();
        let text = |attribute, system| {
            ENGLISH_BUNDLE.text(("encode-library-none", attribute), system, &args).unwrap()
        };
        assert!(text(Some("cure"), None).contains("package manager"));
        assert!(text(None, Some("windows")).contains("onair.exe"));
        assert!(text(Some("cure"), Some("windows")).contains("DLLs"));
        // Most messages fit every system.
        let same = |system| ENGLISH_BUNDLE.text(("encode-process-hung", None), system, &args);
        assert_eq!(same(Some("windows")), same(None));
    }

    /// Messages about parts of Linux that Windows never shows, because it lacks the feature or works in another way.
    const LINUX_ONLY: [&str; 14] = [
        "control-no-dialog",
        "display-depth",
        "display-no-pipewire",
        "display-no-portal",
        "display-not-built",
        "display-xwayland",
        "front-window-wayland",
        "hotkeys-gone",
        "hotkeys-missing",
        "push-to-talk-gone",
        "push-to-talk-missing",
        "virtual-camera-failed",
        "virtual-camera-no-pipewire",
        "virtual-camera-node-failed",
    ];
    /// Words for parts of Linux.
    const LINUX_WORDS: [&str; 11] = [
        "keyring",
        "package manager",
        "PipeWire",
        "PulseAudio",
        "Wayland",
        "X11",
        "Debian",
        "desktop portal",
        "systemctl",
        "XDG_",
        "xdg-",
    ];

    #[test]
    fn a_message_that_names_a_part_of_linux_has_a_text_for_windows() {
        for text in files!("en") {
            let mut messages: Vec<(&str, String)> = Vec::new();
            for line in text.lines() {
                match line.split_once(" =") {
                    Some((id, value)) if !line.starts_with([' ', '#']) => {
                        messages.push((id, value.to_owned()));
                    }
                    _ if line.starts_with(' ') => {
                        messages.last_mut().unwrap().1 += &format!("\n{line}");
                    }
                    _ => {}
                }
            }
            for (id, text) in messages {
                let names_linux = |line: &str| LINUX_WORDS.iter().any(|word| line.contains(word));
                let has = |name: &str| text.contains(&format!("    .{name} ="));
                for line in text.lines().filter(|line| names_linux(line)) {
                    let name = match line.trim().strip_prefix('.').and_then(|it| it.split_once(' '))
                    {
                        Some((name, _)) => format!("{name}-windows"),
                        None => "windows".to_owned(),
                    };
                    assert!(has(&name) || LINUX_ONLY.contains(&id), "{id} lacks .{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_cause_that_is_a_title_begins_like_a_sentence() {
        for (cause, title) in [
            (crate::problem!("net-closed"), "The server closed the connection."),
            // The name of the program stays as it is.
            ("onair cannot read it".into(), "onair cannot read it."),
            ("mid-stream: over".into(), "Mid-stream: over."),
            ("a.example:1935 is gone".into(), "a.example:1935 is gone."),
            ("".into(), "."),
        ] {
            let problem = crate::problem!("watch-failed", cause = cause);
            assert_eq!(Language::English.say(&problem), title);
        }
        let cause = crate::problem!("net-closed");
        let title = Language::Chinese.say(&crate::problem!("watch-failed", cause = cause));
        assert_eq!(title, "服务器关闭了连接。");
    }

    /// Otherwise, the address of a watched stream would look like that of a target.
    #[test]
    fn the_failure_of_a_player_names_the_watched_stream() {
        let cause = "127.0.0.1:1935: connection refused";
        let problem = crate::problem!("watch-unreachable", cause = cause);
        let text = Language::English.say(&problem);
        assert_eq!(text, "Cannot play the stream: 127.0.0.1:1935: connection refused.");
        assert!(Language::Chinese.say(&problem).starts_with("无法观看直播："));
    }

    #[test]
    fn a_sentence_ends_before_the_next_one_begins() {
        for (summary, advice, whole) in [
            (
                "The setting 'x' is bad",
                "The default is used.",
                "The setting 'x' is bad. The default is used.",
            ),
            ("It is gone.", "Plug it in.", "It is gone. Plug it in."),
            ("It is gone", "", "It is gone"),
        ] {
            assert_eq!(Language::English.joined(summary, advice), whole);
        }
        assert_eq!(Language::Chinese.joined("已断开", "请重新插上。"), "已断开。请重新插上。");
        assert_eq!(Language::Chinese.joined("已断开。", "请重新插上。"), "已断开。请重新插上。");
    }
}
