//! The dialogs of the window, one per file. Escape, or a click outside the dialog, closes it.

mod card;
mod command_palette;
mod confirm;
mod developer;
pub mod event_log;
pub mod file_chooser;
mod help;
pub mod mixer;
mod own_services;
mod parts;
mod passthrough;
mod preflight;
mod settings;
mod successor;

pub use card::health_bar;
pub use card::{
    DialogAnswer, DialogContext, dialog_room, heading, hide_tooltips, modal, set_health_bar,
};
pub use card::{PassthroughDraft, Services};
pub use command_palette::Search;
pub use help::images::HelpImages;
pub use parts::draft::PartsDraft;
pub use settings::draft::SettingsDraft;
pub use settings::table::{Setting, SettingsPage};

use crate::ui::view::View;

/// The open dialog.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// The first-run guide.
    Guide,
    Settings,
    Help,
    /// The event log of the stream.
    EventLog,
    Developer,
    /// The user's own services.
    Services,
    /// The result of an import of scenes.
    ImportReport,
    /// Scene collections and profiles.
    CollectionsAndProfiles,
    /// The dialog that sends a media file unchanged.
    Passthrough,
    /// The mixer dialog.
    Mixer,
    Palette,
    /// The pre-flight check.
    Preflight,
    ConfirmStop,
    ConfirmClose,
    /// The dialog while onair ends, after the user has confirmed the end.
    Closing,
}

/// Shows `dialog`.
pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    dialog: Dialog,
    needs: &mut DialogContext<'_>,
    search: &mut Search,
) -> Option<DialogAnswer> {
    match dialog {
        // The screen draws this dialog, because it has the program's frames.
        Dialog::Guide => None,
        Dialog::Settings => settings::show(ctx, view, needs),
        Dialog::Help => help::show(ctx, view, needs.images, needs.fresh),
        Dialog::EventLog => event_log::show(ctx, view, needs.fresh),
        Dialog::Developer => developer::show(ctx, view, needs),
        Dialog::Services => own_services::show(ctx, view, needs.services, needs.fresh),
        Dialog::ImportReport => parts::import_report::show(ctx, view),
        Dialog::CollectionsAndProfiles => parts::show(ctx, view, needs.parts, needs.fresh),
        Dialog::Passthrough => passthrough::show(ctx, view, needs.passthrough),
        Dialog::Mixer => mixer::show(ctx, view, needs.fresh),
        Dialog::Palette => command_palette::show(ctx, view, needs, search),
        Dialog::Preflight => preflight::show(ctx, view, needs.fresh),
        Dialog::ConfirmStop => confirm::stop(ctx, view, needs.fresh),
        Dialog::ConfirmClose => confirm::close(ctx, view, needs.fresh),
        Dialog::Closing => {
            confirm::closing(ctx, view);
            None
        }
    }
}
