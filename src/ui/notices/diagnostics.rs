//! The diagnostics text for support: the version, the health sentence, the notices and the event
//! log. It contains no secrets.

use crate::studio::Notice;
use crate::ui::text::format;
use crate::ui::view::View;

/// Maximum number of lines of the event log in the text.
const MAX_LOG_LINES: usize = 100;

/// Returns the diagnostics text.
pub(super) fn text(view: &View<'_>) -> String {
    let (snapshot, health) = (view.snapshot, view.health);
    let language = view.texts.language();
    let (sentence, beside) = health.words(language);
    let mut lines = vec![
        format!("onair {}", env!("CARGO_PKG_VERSION")),
        format!("{}: {sentence} {beside}", health.activity.name()),
    ];
    let line = |micros: i64, notice: &Notice| {
        let time = format::time_of_day(micros);
        let (summary, detail) = (language.say(&notice.problem), &notice.detail);
        format!("{time}  {summary} [{}] {detail}", notice.key()).trim_end().to_owned()
    };
    lines.extend(snapshot.notices.iter().rev().map(|it| line(it.wall_micros, it)));
    lines.push(String::new());
    let log = snapshot.history.iter().rev().take(MAX_LOG_LINES);
    lines.extend(log.map(|entry| line(entry.wall_micros, &entry.notice)));
    lines.join("\n")
}
