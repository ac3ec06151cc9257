//! Brings the window to the front. On Wayland, only a program that the user has just used can pass
//! on the focus, with an activation token.

use eframe::egui::{self, ViewportCommand};

#[cfg(target_os = "linux")]
use crate::app::backend::activation::Activation;

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
    /// one.
    pub fn raise(&mut self, ctx: &egui::Context, token: Option<&str>) {
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        #[cfg(target_os = "linux")]
        if let (Some(activation), Some(token)) = (&mut self.activation, token) {
            activation.activate(token);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = token;
    }
}
