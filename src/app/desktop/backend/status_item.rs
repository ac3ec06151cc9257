//! The interface of the status icon for the desktop: org.kde.StatusNotifierItem.

use std::sync::Arc;

use zbus::interface;
use zbus::zvariant::ObjectPath;

use crate::app::desktop::state::{DesktopRequest, DesktopState, Shared};
use crate::app::desktop::status_icon::{ICON_SIDES_PIXELS, StatusIcon};

pub(super) const OBJECT_PATH: &str = "/StatusNotifierItem";
pub(super) const INTERFACE_NAME: &str = "org.kde.StatusNotifierItem";

/// Width, height, and the pixels of [`StatusIcon::pixels`].
type Pixmap = (i32, i32, Vec<u8>);

pub(super) struct StatusItem(pub Arc<Shared>);

impl StatusItem {
    fn with<R: Default>(&self, of: impl FnOnce(&DesktopState) -> R) -> R {
        self.0.state.lock().as_ref().map(of).unwrap_or_default()
    }
}

/// Returns whether the desktop should draw attention to the icon.
pub(super) fn status(state: &DesktopState) -> &'static str {
    if state.alarm { "NeedsAttention" } else { "Active" }
}

fn icons(state: &DesktopState) -> Vec<Pixmap> {
    let icon = |side: u32| (side as i32, side as i32, StatusIcon::of(state).pixels(side));
    ICON_SIDES_PIXELS.into_iter().map(icon).collect()
}

#[interface(name = "org.kde.StatusNotifierItem")]
impl StatusItem {
    #[zbus(property)]
    fn category(&self) -> &'static str {
        "ApplicationStatus"
    }

    #[zbus(property)]
    fn id(&self) -> &'static str {
        "onair"
    }

    #[zbus(property)]
    fn title(&self) -> &'static str {
        "onair"
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        self.with(|state| Some(status(state))).unwrap_or("Active")
    }

    #[zbus(property)]
    fn window_id(&self) -> u32 {
        0
    }

    #[zbus(property)]
    fn icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Vec<Pixmap> {
        self.with(icons)
    }

    #[zbus(property)]
    fn attention_icon_name(&self) -> &'static str {
        ""
    }

    #[zbus(property)]
    fn attention_icon_pixmap(&self) -> Vec<Pixmap> {
        self.with(icons)
    }

    #[zbus(property)]
    fn tool_tip(&self) -> (String, Vec<Pixmap>, String, String) {
        let (sentence, detail) = self.with(|state| (state.sentence.clone(), state.detail.clone()));
        (String::new(), Vec::new(), sentence, detail)
    }

    #[zbus(property)]
    fn item_is_menu(&self) -> bool {
        false
    }

    #[zbus(property)]
    fn menu(&self) -> ObjectPath<'static> {
        ObjectPath::from_static_str_unchecked(crate::app::desktop::backend::menu::OBJECT_PATH)
    }

    fn activate(&self, _x: i32, _y: i32) {
        self.0.ask(DesktopRequest::Raise);
    }

    fn secondary_activate(&self, _x: i32, _y: i32) {
        self.0.ask(DesktopRequest::Raise);
    }

    /// The panel calls this before a click on the icon.
    fn provide_xdg_activation_token(&self, token: String) {
        *self.0.token.lock() = Some(token);
    }

    fn context_menu(&self, _x: i32, _y: i32) {}

    fn scroll(&self, _delta: i32, _orientation: &str) {}
}
