//! The other windows of the program: projectors, detached panels and the window of the players. A
//! shared screen, which Wayland needs, lets each of them draw itself. If only the main window could
//! draw them, they would freeze whenever another window covers the main one, because the desktop
//! then asks the main window for no frames.

use std::sync::{Arc, Weak};
use std::time::Duration;

use egui::{Context, Ui, ViewportBuilder, ViewportId};
use parking_lot::Mutex;

use crate::studio::settings::Panel;
use crate::ui::Screen;
use crate::ui::studio_page::projectors::frame::ProjectorParts;
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch;
use crate::ui::widgets::continue_after_enter;

/// One of the other windows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum OtherWindow {
    Players(watch::PlayerLocation),
    /// The projector with this number.
    Projector(u64),
    Panel(Panel),
}

impl Screen {
    /// Shares the screen, so that the other windows can draw themselves.
    pub fn shared(self) -> Arc<Mutex<Self>> {
        Arc::new_cyclic(|screen| {
            let mut own = self;
            own.others.screen = Weak::clone(screen);
            Mutex::new(own)
        })
    }

    /// Returns the other windows that draw themselves, which need to be woken for new frames.
    pub fn others(&self) -> Arc<Mutex<Vec<ViewportId>>> {
        Arc::clone(&self.others.open)
    }

    /// Sets the time until the other windows are drawn next if no new frame arrives.
    pub fn set_patience(&mut self, patience: Duration) {
        self.others.patience = Some(patience);
    }

    /// Returns the requests that other windows made since the main window was drawn. `is_drawn` is
    /// false while the desktop asks the main window for no frames.
    pub fn requests(&mut self, ctx: &Context, is_drawn: bool) -> Vec<WindowRequest> {
        self.handle_own_requests(ctx);
        if !is_drawn {
            self.look(ctx);
        }
        std::mem::take(&mut self.requests)
    }

    /// Shows the other windows.
    pub(super) fn other_windows(&mut self, ctx: &Context) {
        let view = view!(self);
        let players = watch::window(&view, &self.watch);
        let players =
            players.map(|(id, builder)| (OtherWindow::Players(self.watch.place), id, builder));
        let projectors = self.projectors.windows(ctx, &view).into_iter();
        let projectors =
            projectors.map(|(number, id, builder)| (OtherWindow::Projector(number), id, builder));
        let panels = self.docks.windows(&view, &self.preferences.panels).into_iter();
        let panels = panels.map(|(panel, id, builder)| (OtherWindow::Panel(panel), id, builder));
        let all: Vec<_> = players.into_iter().chain(projectors).chain(panels).collect();
        self.others.open.lock().clear();
        for (window, id, builder) in all {
            if self.others.screen.strong_count() == 0 {
                ctx.show_viewport_immediate(id, builder, |ui, _| self.draw_other(ui, window));
            } else {
                self.others.open.lock().push(id);
                self.others.closing.retain(|(it, _)| *it != id);
                show_by_itself(ctx, Weak::clone(&self.others.screen), window, id, builder);
            }
        }
    }

    /// Returns true if the user has not closed a window.
    fn is_open(&self, window: OtherWindow) -> bool {
        match window {
            OtherWindow::Players(place) => self.watch.place == place,
            OtherWindow::Projector(number) => self.projectors.is_seen(number),
            OtherWindow::Panel(panel) => self.docks.is_apart(panel),
        }
    }

    fn draw_other(&mut self, ui: &mut Ui, window: OtherWindow) {
        continue_after_enter(ui.ctx());
        let mut view = view!(self);
        match window {
            OtherWindow::Players(_) => {
                self.watch.learn(&view, ui.input(|input| input.time));
                let (draft, frames) = (&mut self.watch, &mut self.watched);
                let asked = watch::draw_window(ui, &mut view, draft, frames);
                self.watch.tell(&mut view);
                self.requests.extend(asked.map(WindowRequest::Act));
            }
            OtherWindow::Projector(number) => {
                let before = self.preferences.projectors.clone();
                let mut parts = ProjectorParts {
                    preferences: &mut self.preferences,
                    program: &self.program,
                    scenes: &mut self.scenes,
                    software: self.renderer.software,
                };
                self.projectors.draw(ui, number, &mut view, &mut parts);
                if self.preferences.projectors != before {
                    self.requests.push(WindowRequest::Preferences);
                }
            }
            OtherWindow::Panel(panel) => self.draw_panel(ui, panel),
        }
    }

    fn draw_panel(&mut self, ui: &mut Ui, panel: Panel) {
        if self.scenes.follow(&self.snapshot) {
            self.docks.reveal(Panel::Inspector);
        }
        let before = self.preferences.panels.clone();
        let mut view = view!(self);
        self.watch.learn(&view, ui.input(|input| input.time));
        let mut parts = parts!(self);
        let asked = self.docks.draw_window(ui, &mut view, &mut parts, panel);
        self.watch.tell(&mut view);
        self.requests.extend(asked.map(WindowRequest::Act));
        if self.preferences.panels != before {
            self.requests.push(WindowRequest::Preferences);
        }
    }
}

fn show_by_itself(
    ctx: &Context,
    screen: Weak<Mutex<Screen>>,
    window: OtherWindow,
    id: ViewportId,
    builder: ViewportBuilder,
) {
    ctx.show_viewport_deferred(id, builder, move |ui, _| {
        if let Some(shared) = screen.upgrade() {
            draw_by_itself(ui, &screen, &mut shared.lock(), window, id);
        }
    });
}

fn draw_by_itself(
    ui: &mut Ui,
    shared: &Weak<Mutex<Screen>>,
    screen: &mut Screen,
    window: OtherWindow,
    id: ViewportId,
) {
    let ctx = ui.ctx().clone();
    if screen.is_open(window) {
        screen.draw_other(ui, window);
    }
    if screen.is_open(window) {
        ctx.request_repaint_after(screen.others.patience.unwrap_or_default());
    } else {
        close_by_itself(&ctx, shared, screen, window, id);
    }
    // The main window handles the requests, and shows what changed.
    if !screen.requests.is_empty() || ctx.input(|input| !input.events.is_empty()) {
        ctx.request_repaint_after_for(Duration::from_nanos(1), ViewportId::ROOT);
    }
}

/// Ends a window. egui removes a window when its parent draws a frame without it. The main window
/// may draw none for long, so the window becomes its own parent, and ends with its next frame.
fn close_by_itself(
    ctx: &Context,
    shared: &Weak<Mutex<Screen>>,
    screen: &mut Screen,
    window: OtherWindow,
    id: ViewportId,
) {
    let (frame, closing) = (ctx.cumulative_frame_nr(), &mut screen.others.closing);
    match closing.iter().find(|(it, _)| *it == id) {
        // Its last frame.
        Some((_, begun)) if *begun != frame => return,
        Some(_) => {}
        None => closing.push((id, frame)),
    }
    // To wake a window that has ended would open an empty one.
    screen.others.open.lock().retain(|it| *it != id);
    show_by_itself(ctx, Weak::clone(shared), window, id, ViewportBuilder::default());
    ctx.request_repaint();
}
