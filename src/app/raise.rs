//! Brings the window to the front, for example when onair is started again. On Wayland, only a program that the
//! user has just used can pass on the focus, with an activation token.

use eframe::egui::{self, UserAttentionType, ViewportCommand};

use crate::app::backend::activation::Activation;
use crate::base::Latest;
use crate::base::queue::{self, Full};
use crate::studio::settings::part::PartKind;

/// A request that a later start of onair sends to the open window.
#[derive(Debug)]
pub struct LaterStart {
    /// Files and addresses to play.
    pub open: Vec<String>,
    /// The collections and profiles to switch to.
    pub parts: Vec<(PartKind, String)>,
    /// The activation token of the later start, with which the window gets the focus on Wayland.
    pub token: Option<String>,
    /// Notified when the window has accepted the request.
    pub taken: queue::Sender<()>,
}

/// Maximum number of later starts that wait for the window.
const MAX_PENDING_STARTS: usize = 16;

/// Sends the requests of later starts, and wakes the window for each of them. The window may draw
/// rarely, and the later start waits only for a few seconds.
#[derive(Debug)]
pub struct LaterStartSender {
    ask: queue::Sender<LaterStart>,
    wake: Latest<()>,
}

/// Receives the requests of later starts.
#[derive(Debug)]
pub struct LaterStarts {
    /// The requests in order.
    pub asked: queue::Receiver<LaterStart>,
    wake: Latest<()>,
}

impl LaterStarts {
    /// Creates both ends of the queue.
    pub fn new() -> (LaterStartSender, Self) {
        let (ask, asked) = queue::bounded("later-starts", MAX_PENDING_STARTS, Full::DropOldest);
        let wake = Latest::default();
        (LaterStartSender { ask, wake: wake.clone() }, Self { asked, wake })
    }

    /// Returns the requests that have arrived. A closing window accepts none: their senders notice
    /// this, and open their own window when this one has closed.
    pub fn take(&self, is_closing: bool) -> Vec<LaterStart> {
        self.asked.waiting().filter(|_| !is_closing).collect()
    }

    /// Calls `wake` after each request, on the thread of the sender.
    pub fn on_request(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.wake.on_change(wake);
    }
}

impl LaterStartSender {
    /// Returns false if the window is gone.
    pub fn send(&self, request: LaterStart) -> bool {
        let is_sent = self.ask.send(request).is_ok();
        self.wake.publish(());
        is_sent
    }
}

/// Brings the window to the front.
pub(super) struct Raiser {
    activation: Option<Activation>,
}

impl Raiser {
    pub fn new(context: &eframe::CreationContext<'_>) -> Self {
        Self { activation: Activation::new(context) }
    }

    /// Brings the window to the front, with the activation token of another program if there is
    /// one. Without a token, a Wayland desktop gives the window no focus, so onair asks for the
    /// user's attention: the desktop marks the window, or shows a message.
    pub fn raise(&mut self, ctx: &egui::Context, token: Option<&str>) {
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        match (&mut self.activation, token) {
            (Some(activation), Some(token)) => activation.activate(token),
            (Some(_), None) => {
                let attention = UserAttentionType::Informational;
                ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
            }
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::Empty;

    #[test]
    fn a_closing_window_accepts_no_later_start() {
        let (ask, later) = LaterStarts::new();
        for (is_closing, wanted) in [(true, Empty::Closed), (false, Empty::Waiting)] {
            let (taken, reply) = queue::bounded("taken", 1, Full::DropOldest);
            let (open, parts) = (Vec::new(), Vec::new());
            assert!(ask.send(LaterStart { open, parts, token: None, taken }));
            let requests = later.take(is_closing);
            assert_eq!(requests.is_empty(), is_closing);
            assert_eq!(reply.try_recv(), Err(wanted));
        }
    }
}
