//! The status bar at the bottom: figures, the space for recordings, the encoders, the built-in
//! server, and on the *Watch* page the state of the player.

use std::time::Duration;

use egui::text::{LayoutJob, TextFormat};
use egui::{Align, Align2, Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2};

use crate::encode::Choice;
use crate::media::Codec;
use crate::studio::Snapshot;
use crate::studio::live::recording::free_space::DiskSpace;
use crate::studio::live::view::LiveState;
use crate::studio::watch::view::WatchState;
use crate::ui::input::actions::key;
use crate::ui::screen::bars::Page;
use crate::ui::style::theme::{Theme, Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{elided, place};

/// If the disk has space for a shorter time than this, the figure of the space needs attention.
const LOW_SPACE_DURATION: Duration = Duration::from_secs(30 * 60);
/// A longer remaining time is displayed in hours.
const HOURS_DISPLAY_THRESHOLD: Duration = Duration::from_secs(2 * 60 * 60);
/// The maximum number of displayed hours.
const MAX_DISPLAYED_HOURS: u64 = 999;
/// The minimum width of the server's figures, in points. In less space, they are omitted.
const MIN_SERVER_FIGURES_WIDTH: f32 = 160.0;

/// A figure of the bar: its text, its tooltip, and whether it needs attention.
struct BarFigure {
    text: String,
    tip: String,
    warns: bool,
}

impl BarFigure {
    fn new(texts: &Texts, text: String, tip: &'static str) -> Self {
        Self { text, tip: texts.get(tip).to_string(), warns: false }
    }
}

/// Draws the bar.
pub fn show(ui: &mut Ui, view: &View<'_>, page: Page, room: Rect) {
    let theme = view.theme;
    ui.painter().hline(room.x_range(), room.top() + 0.5, theme.border());
    let mut left = room.left() + gap::L;
    if page == Page::Watch {
        left = player(ui, view, room, left);
    }
    for (index, fact) in facts(view, page).into_iter().enumerate() {
        let at = room.with_min_x(left);
        left = draw(ui, theme, &fact, at, index).right() + gap::L;
    }
    let mut rest = room.with_min_x(left);
    rest.max.x -= gap::L;
    if page == Page::Studio {
        rest.max.x = encoders(ui, view, rest);
    }
    server(ui, view, rest);
}

fn watch_sentence(theme: &Theme, texts: &Texts, snapshot: &Snapshot) -> (String, Color32) {
    let (key, color) = match &snapshot.watch {
        WatchState::Idle => (key!("status-watch-idle"), theme.secondary),
        WatchState::Opening { .. } => (key!("status-watch-opening"), theme.accent),
        WatchState::Playing if snapshot.watch_figures.paused => {
            (key!("status-watch-paused"), theme.secondary)
        }
        WatchState::Playing => (key!("status-watch-playing"), theme.good),
        WatchState::Reconnecting { .. } => (key!("status-watch-reconnecting"), theme.warn),
        WatchState::Ended => (key!("status-watch-ended"), theme.secondary),
        WatchState::Failed { .. } => (key!("status-watch-failed"), theme.warn),
    };
    (texts.get(key).to_string(), color)
}

/// Draws the state of the player. Returns the left edge of the space after the text.
fn player(ui: &Ui, view: &View<'_>, room: Rect, left: f32) -> f32 {
    let (theme, y) = (view.theme, room.center().y);
    let (text, color) = watch_sentence(theme, view.texts, view.snapshot);
    ui.painter().circle_filled(pos2(left + 4.0, y), 4.0, color);
    let at = pos2(left + 18.0, y);
    let words = place(ui, at, Align2::LEFT_CENTER, &text, Type::SmallStrong, theme.text);
    let response = ui.interact(words, ui.scope_id().with("player-sentence"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
    words.right() + gap::L
}

/// Returns the figures of the page.
fn facts(view: &View<'_>, page: Page) -> Vec<BarFigure> {
    let (texts, snapshot) = (view.texts, view.snapshot);
    let fact = |text, tip| BarFigure::new(texts, text, tip);
    let mut facts = Vec::new();
    if page == Page::Watch {
        let figures = &snapshot.watch_figures;
        if let Some(first) = figures.first_frame {
            let time = format::short_time(first);
            let text = texts.with("status-first-frame", &[("time", time.into())]);
            facts.push(fact(text, key!("tip-first-frame")));
            // A lost connection that also emptied the buffer counts as one interruption.
            let count = figures.underruns.max(figures.losses.into());
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let text = texts.counted("status-interruptions", count);
            facts.push(fact(text, key!("tip-interruptions")));
        }
    } else if snapshot.is_live_or_recording() {
        // Before the first encoded frame, a frame rate of zero is no problem, and until a whole
        // second has passed, the frame rate is not known.
        let begins = matches!(snapshot.live, LiveState::Connecting { .. });
        let known = !snapshot.figures.fps_pending;
        if known && (!begins || snapshot.figures.fps > 0.0) {
            let fps = format!("{:.1}", snapshot.figures.fps);
            let rate = fact(texts.with("fps", &[("value", fps.into())]), key!("tip-fps"));
            facts.push(BarFigure { warns: snapshot.figures.is_slow(), ..rate });
        }
        let dropped = format::grouped(snapshot.figures.dropped_frames);
        let dropped = texts.with("status-dropped", &[("count", dropped.into())]);
        let dropped = fact(dropped, key!("tip-dropped"));
        facts.push(BarFigure { warns: snapshot.figures.loses_frames(), ..dropped });
        if snapshot.figures.skipped_frames > 0 {
            let skipped = format::grouped(snapshot.figures.skipped_frames);
            let skipped = texts.with("status-skipped", &[("count", skipped.into())]);
            let skipped = fact(skipped, key!("tip-ended-skipped"));
            facts.push(BarFigure { warns: snapshot.figures.skips_frames(), ..skipped });
        }
    }
    let cpu = format!("CPU {:.0}\u{a0}%", f64::from(snapshot.cpu) * 100.0);
    facts.push(fact(cpu, key!("tip-cpu")));
    facts.push(fact(format::bytes(snapshot.rss_bytes), key!("tip-memory")));
    if page != Page::Watch {
        let records = snapshot.recording.is_some();
        facts.extend(snapshot.disk.as_ref().map(|space| disk(texts, space, records)));
    }
    facts
}

/// Returns the time until the disk is full, in whole minutes or hours.
fn time_left(texts: &Texts, left: Duration) -> String {
    let minutes = left.as_secs() / 60;
    if left < HOURS_DISPLAY_THRESHOLD {
        return texts.with("settings-minutes", &[("count", minutes.to_string().into())]);
    }
    let hours = match minutes / 60 {
        hours if hours > MAX_DISPLAYED_HOURS => format!("{MAX_DISPLAYED_HOURS}+"),
        hours => hours.to_string(),
    };
    texts.with("status-hours", &[("count", hours.into())])
}

/// Returns the figure of the free space. The disk fills only while onair `records`.
fn disk(texts: &Texts, space: &DiskSpace, records: bool) -> BarFigure {
    let time = time_left(texts, space.left);
    let warns = space.left < LOW_SPACE_DURATION;
    let fills = warns && records;
    let key = if fills { key!("status-disk-little") } else { key!("status-disk") };
    let folder = space.folder.display().to_string();
    let args = [
        ("folder", folder.into()),
        ("free", format::bytes(space.free).into()),
        ("time", time.clone().into()),
    ];
    let tip = texts.with("tip-disk", &args);
    BarFigure { text: texts.with(key, &[("time", time.into())]), tip, warns }
}

/// Draws a figure, with emphasis on its numbers. Returns the rectangle of the text.
fn draw(ui: &Ui, theme: &Theme, fact: &BarFigure, room: Rect, index: usize) -> Rect {
    let (words, numbers) = match fact.warns {
        true => (theme.warn, theme.warn),
        false => (theme.secondary, theme.text),
    };
    let mut job = LayoutJob::default();
    for (place, word) in fact.text.split(' ').enumerate() {
        let (kind, color) = match word.contains(|letter: char| letter.is_ascii_digit()) {
            true => (Type::SmallStrong, numbers),
            false => (Type::Small, words),
        };
        if place > 0 {
            job.append(" ", 0.0, TextFormat::simple(Type::Small.font(), words));
        }
        job.append(word, 0.0, TextFormat::simple(kind.font(), color));
    }
    let galley = ui.painter().layout_job(job);
    let at = Align2::LEFT_CENTER.anchor_size(room.left_center(), galley.size());
    ui.painter().galley(at.min, galley, words);
    let response = ui.interact(at, ui.scope_id().with(("fact", index)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &fact.text));
    response.on_hover_text(&fact.tip);
    at
}

/// Draws the encoders that run, or that the next broadcast uses. Returns the left edge of the text.
fn encoders(ui: &Ui, view: &View<'_>, room: Rect) -> f32 {
    let (texts, snapshot) = (view.texts, view.snapshot);
    let quality = &snapshot.quality;
    if snapshot.passthrough.is_some() {
        // The file is sent without encoding.
        return room.right();
    }
    let video = match &snapshot.encoder {
        Some(encoder) => Some(format!("{} {}", encoder.name, encoder.profile)),
        None => {
            let chosen = quality.encoder.for_codec(quality.video_codec);
            let fits = |choice| chosen == Choice::Auto || choice == Some(chosen);
            let mut video = snapshot.encoders.iter().filter(|it| {
                matches!(it.codec, Codec::Video(_)) && it.unavailable.is_none() && fits(it.choice)
            });
            video.next().map(|it| it.name.to_owned()).filter(|_| !snapshot.audio_only)
        }
    };
    let audio = format!("AAC {}", format::bitrate(quality.actual_audio_bitrate().0));
    let text = video.map_or(audio.clone(), |video| format!("{video} · {audio}"));
    let runs = snapshot.is_live_or_recording();
    let tip = if runs { key!("tip-encoders-run") } else { key!("tip-encoders-next") };
    let font = Type::Small.font();
    let painted = elided(ui, room, Align::Max, &text, font, view.theme.secondary);
    let response = ui.interact(painted, ui.scope_id().with("encoders"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(&*texts.get(tip));
    painted.left() - gap::L
}

/// Draws the viewers and the address of the built-in server, if the server is a target or has
/// viewers.
fn server(ui: &Ui, view: &View<'_>, room: Rect) {
    let server = &view.snapshot.server;
    let on = view.snapshot.targets.iter().any(|it| it.target.is_built_in() && it.target.enabled);
    let used = !server.play_url.is_empty() && (on || server.viewers > 0);
    if !used || room.width() < MIN_SERVER_FIGURES_WIDTH {
        return;
    }
    let viewers = view.texts.counted("viewers", server.viewers);
    let args = [("viewers", viewers.into()), ("url", server.shown_url().into())];
    let text = view.texts.with("builtin-server", &args);
    let color = view.theme.secondary;
    let painted = elided(ui, room, Align::Max, &text, Type::Small.font(), color);
    let tip = format!("{text}\n{}", view.texts.get("tip-viewers"));
    ui.interact(painted, ui.scope_id().with("server"), Sense::hover()).on_hover_text(tip);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::live::view::LiveFigures;
    use crate::studio::notices::health::Health;
    use crate::ui::text::Language;

    #[test]
    fn bad_figures_of_a_broadcast_need_attention() {
        let texts = Texts::new(Language::English);
        let shown = |figures| {
            let snapshot = Snapshot { live: LiveState::OnAir, figures, ..Snapshot::default() };
            let view = View {
                theme: &Theme::DARK,
                texts: &texts,
                snapshot: &snapshot,
                health: &Health::of(&snapshot),
                requests: &mut Vec::new(),
            };
            facts(&view, Page::Studio)
        };
        for (fps, dropped_frames, wanted) in
            [(30.0, 0, [false; 2]), (11.7, 0, [true, false]), (30.0, 20, [false, true])]
        {
            let figures = LiveFigures {
                fps,
                wanted_fps: 30.0,
                on_air_for: Duration::from_secs(60),
                dropped_frames,
                total_frames: 1_800,
                ..LiveFigures::default()
            };
            let warns: Vec<bool> = shown(figures).iter().map(|it| it.warns).collect();
            assert_eq!(warns[..2], wanted, "{fps} {dropped_frames}");
        }
        let figures = LiveFigures {
            encoded: 1_800,
            skipped_frames: 775,
            on_air_for: Duration::from_secs(60),
            ..LiveFigures::default()
        };
        let skipped = &shown(figures)[2];
        assert_eq!((skipped.text.as_str(), skipped.warns), ("775 skipped", true));
    }

    #[test]
    fn a_paused_player_is_not_called_playing() {
        let texts = Texts::new(Language::English);
        let mut snapshot = Snapshot { watch: WatchState::Playing, ..Snapshot::default() };
        let sentence = |snapshot: &Snapshot| watch_sentence(&Theme::DARK, &texts, snapshot);
        assert_eq!(sentence(&snapshot), ("Playing.".to_owned(), Theme::DARK.good));
        snapshot.watch_figures.paused = true;
        assert_eq!(sentence(&snapshot), ("Paused.".to_owned(), Theme::DARK.secondary));
    }

    #[test]
    fn the_time_until_the_disk_is_full_is_short_and_whole() {
        let texts = Texts::new(Language::English);
        let of = |minutes: u64| time_left(&texts, Duration::from_secs(minutes * 60 + 59));
        assert_eq!([of(0), of(9), of(119)], ["0 min", "9 min", "119 min"]);
        assert_eq!([of(120), of(41 * 60), of(5_000_000)], ["2\u{a0}h", "41\u{a0}h", "999+\u{a0}h"]);
        let space = |minutes: u64| DiskSpace {
            folder: "/home/ada/Videos".into(),
            free: 1_500_000_000,
            left: Duration::from_secs(minutes * 60),
        };
        let little = disk(&texts, &space(9), true);
        assert_eq!((little.text.as_str(), little.warns), ("Disk full in 9 min", true));
        let idle = disk(&texts, &space(0), false);
        assert_eq!((idle.text.as_str(), idle.warns), ("Disk: 0 min left", true));
        let much = disk(&texts, &space(41 * 60), true);
        assert_eq!((much.text.as_str(), much.warns), ("Disk: 41\u{a0}h left", false));
        assert!(much.tip.contains("/home/ada/Videos") && much.tip.contains("1.50\u{a0}GB"));
        let chinese = Texts::new(Language::Chinese);
        assert_eq!(disk(&chinese, &space(9), true).text, "磁盘将在 9 分钟后写满");
    }
}
