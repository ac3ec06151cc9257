//! The pre-flight check dialog: one line per finding, with its remedy.

use egui::{ScrollArea, Ui, vec2};

use crate::net::CertificatePin;
use crate::studio::{Command, Level, Notice, Remedy, Target};
use crate::ui::dialogs::card::{DialogAnswer, heading, modal};
use crate::ui::input::actions::key;
use crate::ui::notices::{apply, remedy_name, words};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, paragraph};

pub fn show(ctx: &egui::Context, view: &mut View<'_>, fresh: bool) -> Option<DialogAnswer> {
    // The check would disturb a broadcast or a recording, so the studio refuses it.
    let free = !view.snapshot.is_live_or_recording();
    if fresh && free {
        view.send(Command::Check { test_stream: false });
    }
    modal(ctx, view.theme, "ready", 520.0, |ui| {
        let mut answer = None;
        if heading(ui, view, &view.texts.get("preflight")) {
            answer = Some(DialogAnswer::Close);
        }
        if !free {
            paragraph(ui, &view.texts.get("preflight-on-air"), Type::Body, view.theme.secondary);
            return answer;
        }
        let checked = view.snapshot.checked.clone().unwrap_or_default();
        ScrollArea::vertical().max_height(400.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::M;
            for notice in &checked.found {
                let edit = ui.push_id(notice.id, |ui| line(ui, view, notice)).inner;
                if let Some(id) = edit {
                    answer = Some(DialogAnswer::EditTarget(id));
                }
            }
        });
        ui.add_space(gap::S);
        if checked.running || fresh {
            paragraph(ui, &view.texts.get("preflight-running"), Type::Body, view.theme.secondary);
            return answer;
        }
        let worst = checked.found.iter().map(|notice| notice.level).max();
        let verdict = match worst {
            // A broadcast or a recording has ended the check.
            None => None,
            Some(Level::Info) => Some((key!("preflight-yes"), view.theme.good)),
            Some(Level::Warning) => Some((key!("preflight-warned"), view.theme.warn)),
            Some(Level::Error) => Some((key!("preflight-no"), view.theme.warn)),
        };
        if let Some((verdict, color)) = verdict {
            paragraph(ui, &view.texts.get(verdict), Type::BodyStrong, color);
        }
        let (theme, texts) = (view.theme, view.texts);
        ui.horizontal(|ui| {
            let again = texts.get("preflight-again");
            if Button::new(&again).icon(Icon::Refresh).show(ui, theme).clicked() {
                view.send(Command::Check { test_stream: false });
            }
            let test_stream = texts.get("send-test-stream");
            let is_offered = checked.found.iter().any(|it| it.key() == "found-needs-test-stream");
            if is_offered && Button::new(&test_stream).show(ui, theme).clicked() {
                view.send(Command::Check { test_stream: true });
            }
        });
        answer
    })
}

/// Draws one finding. Returns the target that the user wants to correct, if any.
fn line(ui: &mut Ui, view: &mut View<'_>, notice: &Notice) -> Option<u32> {
    let theme = view.theme;
    let (icon, color) = match notice.level {
        Level::Info => (Icon::Check, theme.good),
        Level::Warning | Level::Error => (Icon::Warning, theme.warn),
    };
    let mut edit = None;
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, 18.0), egui::Sense::hover());
        icons::paint_at(ui.painter(), icon, rect.center(), 15.0, color);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            let (title, advice) = words(view.texts, notice);
            paragraph(ui, &title, Type::Body, theme.text);
            if !advice.is_empty() {
                paragraph(ui, &advice, Type::Small, theme.secondary);
            }
            if let Some(remedy) = notice.remedies.first().copied() {
                let name = remedy_name(view.texts, remedy);
                if Button::new(&name).small().weight(ButtonWeight::Plain).show(ui, theme).clicked()
                {
                    match remedy {
                        Remedy::TrustCertificate { target, pin } => trust(view, target, pin),
                        _ => apply(view, remedy),
                    }
                    if let Remedy::EditTarget(id) = remedy {
                        edit = Some(id);
                    }
                }
            }
        });
    });
    edit
}

/// Accepts a certificate, and checks again. Outside this dialog, the same button repeats a failed
/// broadcast, which a check never does.
fn trust(view: &mut View<'_>, id: u32, pin: CertificatePin) {
    let known = view.snapshot.targets.iter().find(|entry| entry.target.id == id);
    if let Some(entry) = known {
        let target = Target { pin: Some(pin), ..entry.target.clone() };
        view.send(Command::PutTarget(target));
        view.send(Command::Check { test_stream: false });
    }
}
