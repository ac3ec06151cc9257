//! The guests of the show: the button that invites one, the links of those who are expected, and the buttons for each
//! guest.

use egui::{Role, Ui, WidgetInfo};

use crate::server::guests::GuestState;
use crate::studio::Command;
use crate::studio::command::GuestCommand;
use crate::studio::snapshot::GuestFigures;
use crate::ui::input::actions::key;
use crate::ui::studio_page::guests::states;
use crate::ui::studio_page::share::links::Draft;
use crate::ui::studio_page::share::meeting;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, label, paragraph, section};

/// The side of the QR code of an invitation.
const QR_CODE_SIDE_POINTS: f32 = 140.0;

/// Draws the section.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    section(ui, theme, &texts.get("share-guests"));
    let has_room = snapshot.guests.len() < crate::server::guests::MAX_GUESTS;
    let invite = texts.get("guest-invite");
    let button = Button::new(&invite).icon(Icon::Plus).small().enabled(has_room);
    if button.show(ui, theme).on_hover_text(&*texts.get("tip-guest-invite")).clicked() {
        view.send(Command::Guest(GuestCommand::Invite));
    }
    let is_met = snapshot.server.meeting.is_some();
    meeting::show(ui, view, draft);
    if snapshot.guests.is_empty() {
        paragraph(ui, &texts.get("guests-none"), Type::Small, theme.secondary);
        return;
    }
    if is_met {
        // The links are those of the server.
    } else if snapshot.server.https.is_empty() {
        paragraph(ui, &texts.get("guests-need-https"), Type::Small, theme.warn);
    } else if !snapshot.server.reach.http {
        paragraph(ui, &texts.get("guests-need-network"), Type::Small, theme.warn);
    }
    draft.keep_guests(&snapshot.guests);
    for guest in &snapshot.guests {
        ui.push_id(&guest.id, |ui| one(ui, view, draft, guest));
    }
}

/// Draws one guest: name and state, then what the user can do.
fn one(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, guest: &GuestFigures) {
    let (theme, texts) = (view.theme, view.texts);
    let name = guest.shown_name();
    let color = states::state_color(theme, guest.state);
    let state = texts.get(states::state_key(guest.state));
    let shown = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        label(ui, name, Type::BodyStrong, theme.text);
        label(ui, &state, Type::Small, color);
        if let Some(rtt) = guest.rtt {
            label(ui, &format!("{} ms", rtt.as_millis()), Type::Small, theme.secondary);
        }
    });
    let name_and_state = format!("{name}: {state}");
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name_and_state.clone()));
    if let Some(preview) = &guest.preview {
        draft.preview_of(&guest.id).show(
            ui,
            &preview.0,
            &texts.with("guest-preview", &[("name", name.into())]),
        );
    }
    if matches!(guest.state, GuestState::Invited | GuestState::Away) && !guest.link.is_empty() {
        draft.code_of(&guest.id).show(
            ui,
            &guest.link,
            &texts.get("guest-code"),
            QR_CODE_SIDE_POINTS,
        );
    }
    let id = || guest.id.clone();
    let mut asked = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(gap::XS, gap::XS);
        let mut button = |ui: &mut Ui, key: &'static str, weight, command| {
            let text = texts.get(key);
            let full = format!("{text}: {name}");
            let button = Button::new(&text).name(&full).weight(weight).small();
            if button.show(ui, theme).clicked() {
                asked = Some(command);
            }
        };
        let plain = ButtonWeight::Plain;
        match guest.state {
            GuestState::Lobby => {
                let admit = Some(GuestCommand::Admit(id()));
                button(ui, key!("guest-admit"), ButtonWeight::Primary, admit);
            }
            GuestState::OnAir => {
                let mute = if guest.muted { key!("guest-unmute") } else { key!("guest-mute") };
                let hide = if guest.hidden { key!("guest-show") } else { key!("guest-hide") };
                button(ui, mute, plain, Some(GuestCommand::Mute(id(), !guest.muted)));
                button(ui, hide, plain, Some(GuestCommand::Hide(id(), !guest.hidden)));
                button(ui, key!("guest-dismiss"), plain, Some(GuestCommand::Dismiss(id())));
            }
            _ => {}
        }
        let tag = if guest.tagged { key!("guest-untag") } else { key!("guest-tag") };
        button(ui, tag, plain, Some(GuestCommand::Tag(id(), !guest.tagged)));
        if guest.state != GuestState::OnAir {
            button(ui, key!("guest-copy"), plain, None);
        }
        let remove = Some(GuestCommand::Remove(id()));
        button(ui, key!("guest-remove"), ButtonWeight::Live, remove);
    });
    match asked {
        Some(Some(command)) => view.send(Command::Guest(command)),
        Some(None) => ui.ctx().copy_text(guest.link.clone()),
        None => {}
    }
}
