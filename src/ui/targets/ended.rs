//! The summary card after a broadcast: duration, targets, number of viewers, losses, and the
//! recording.

use std::path::Path;
use std::time::Duration;

use egui::{Align, CornerRadius, Frame, Layout, Margin, Ui};

use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::view::{BroadcastSummary, BroadcastTarget};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Type, gap};
use crate::ui::targets::{Draft, title};
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, figure, file_figure, icon_button, judged_figure, label};

/// Draws the card until the user closes it or the next broadcast begins.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let ended = view.snapshot.last_broadcast.as_ref();
    let Some(ended) = ended.filter(|ended| ended.number != draft.summary_closed) else { return };
    let theme = view.theme;
    Frame::new()
        .fill(theme.raised)
        .stroke(theme.border())
        .corner_radius(CornerRadius::same(CARD_RADIUS))
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            ui.horizontal(|ui| {
                label(ui, &view.texts.get("ended-title"), Type::Title, theme.text);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let name = view.texts.get("ended-close");
                    if icon_button(ui, theme, Icon::Close, &name, 24.0).clicked() {
                        draft.summary_closed = ended.number;
                    }
                });
            });
            figures(ui, view, ended);
            if let Some(path) = &ended.recording {
                recording(ui, view, path);
            }
        });
}

/// Returns the names of the targets: as the list shows them now, or as they were if they are no
/// longer in the list. Targets with the same name also have their numbers in the list.
fn names(view: &View<'_>, ended: &BroadcastSummary) -> Vec<String> {
    let list = &view.snapshot.targets;
    let place = |id: Option<u32>| list.iter().position(|it| Some(it.target.id) == id);
    let name = |known: &BroadcastTarget| {
        let at = place(known.id).and_then(|at| list.get(at));
        at.map_or_else(|| known.label.clone(), |it| title(view.texts, &it.target))
    };
    let names: Vec<String> = ended.targets.iter().map(name).collect();
    let numbered = |(name, known): (&String, &BroadcastTarget)| {
        let is_alone = names.iter().filter(|it| *it == name).count() == 1;
        match place(known.id).filter(|_| !is_alone) {
            Some(at) => format!("{name} #{}", at + 1),
            None => name.clone(),
        }
    };
    names.iter().zip(&ended.targets).map(numbered).collect()
}

fn figures(ui: &mut Ui, view: &View<'_>, ended: &BroadcastSummary) {
    let (theme, texts) = (view.theme, view.texts);
    let names = names(view, ended);
    // The names and the labels of the targets that were live, or of the others.
    let targets = |was_live: bool| {
        let chosen = ended.targets.iter().zip(&names).filter(|(it, _)| it.was_live == was_live);
        let (labels, names): (Vec<&str>, Vec<&str>) =
            chosen.map(|(it, name)| (it.label.as_str(), name.as_str())).unzip();
        (names.join(" · "), labels.join(" · "))
    };
    let ((reached, reached_labels), (missed, missed_labels)) = (targets(true), targets(false));
    let dropped = format::part_of(ended.dropped_frames, ended.total_frames);
    let mut lines = vec![
        (texts.get("ended-duration"), format::clock(ended.on_air_for), String::new()),
        (texts.get("ended-hosts"), reached, reached_labels),
        (texts.get("statistic-sent"), format::bytes(ended.sent_bytes), String::new()),
        (texts.get("ended-dropped"), dropped, texts.get("tip-dropped").to_string()),
        (texts.get("ended-reconnects"), ended.reconnects.to_string(), String::new()),
    ];
    if ended.skipped_frames > 0 {
        let (number, tip) = (format::grouped(ended.skipped_frames), texts.get("tip-ended-skipped"));
        lines.insert(3, (texts.get("ended-skipped"), number, tip.to_string()));
    }
    if ended.lost_frames > 0 {
        let (number, tip) = (format::grouped(ended.lost_frames), texts.get("tip-ended-lost"));
        lines.push((texts.get("ended-lost"), number, tip.to_string()));
    }
    if ended.interrupted >= Duration::from_secs(1) {
        let (time, tip) = (format::minutes(ended.interrupted), texts.get("tip-ended-interrupted"));
        lines.push((texts.get("ended-interrupted"), time, tip.to_string()));
    }
    if ended.peak_viewers > 0 {
        let tip = texts.get("tip-ended-viewers").to_string();
        lines.push((texts.get("ended-viewers"), ended.peak_viewers.to_string(), tip));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    for (index, (name, value, tip)) in lines.iter().enumerate() {
        if index == 2 && !missed.is_empty() {
            let (name, mark) = (texts.get("ended-missed"), texts.get("mark-warning"));
            judged_figure(ui, theme, (&name, &missed), &missed_labels, Some(&*mark));
        }
        let meaning = if tip.is_empty() { value } else { tip };
        figure(ui, theme, name, value, meaning);
    }
    if let Some(path) = &ended.recording {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let named = (&*texts.get("ended-recording"), &*file);
        file_figure(ui, theme, named, &path.display().to_string());
    }
}

fn recording(ui: &mut Ui, view: &mut View<'_>, path: &Path) {
    let (theme, texts) = (view.theme, view.texts);
    ui.add_space(gap::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(gap::S, gap::S);
        // A later recording can be the last one.
        let asked = [
            ("recordings-play", Icon::Play, WindowRequest::PlayRecording(path.to_owned())),
            ("remedy-recording", Icon::Film, WindowRequest::ShowRecording(path.to_owned())),
        ];
        for (name, icon, request) in asked {
            let text = texts.get(name);
            if Button::new(&text).icon(icon).small().show(ui, theme).clicked() {
                view.request(request);
            }
        }
        let text = texts.get("recordings-show");
        if Button::new(&text).icon(Icon::Folder).small().show(ui, theme).clicked() {
            let command = RecordingsCommand::ShowInFolder(path.to_owned());
            view.send(Command::Recordings(command));
        }
    });
}
