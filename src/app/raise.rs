//! Brings the window to the front, for example when onair is started again. On Wayland, only a program that the
//! user has just used can pass on the focus, with an activation token.

use eframe::egui::{self, ViewportCommand};

use crate::base::queue;
use crate::studio::settings::part::PartKind;

#[cfg(target_os = "linux")]
use eframe::egui::UserAttentionType;

#[cfg(target_os = "linux")]
use crate::app::backend::activation::Activation;

/// A request that a later start of onair sends to the open window.
#[derive(Debug)]
pub struct HandedOver {
    /// Files and addresses to play.
    pub open: Vec<String>,
    /// The collections and profiles to switch to.
    pub parts: Vec<(PartKind, String)>,
    /// The activation token of the later start, with which the window gets the focus on Wayland.
    pub token: Option<String>,
    /// Notified when the window has accepted the request.
    pub taken: queue::Sender<()>,
}

/// Brings the window to the front.
pub(super) struct Raiser {
    #[cfg(target_os = "linux")]
    activation: Option<Activation>,
}

impl Raiser {
    #[cfg(target_os = "linux")]
    pub fn new(context: &eframe::CreationContext<'_>) -> Self {
        Self { activation: Activation::new(context) }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn new(_: &eframe::CreationContext<'_>) -> Self {
        Self {}
    }

    /// Brings the window to the front, with the activation token of another program if there is
    /// one. Without a token, a Wayland desktop gives the window no focus, so onair asks for the
    /// user's attention: the desktop marks the window, or shows a message.
    pub fn raise(&mut self, ctx: &egui::Context, token: Option<&str>) {
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        #[cfg(target_os = "linux")]
        match (&mut self.activation, token) {
            (Some(activation), Some(token)) => activation.activate(token),
            (Some(_), None) => {
                let attention = UserAttentionType::Informational;
                ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
            }
            (None, _) => {}
        }
        #[cfg(not(target_os = "linux"))]
        let _ = token;
    }
}
