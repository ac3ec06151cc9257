//! Control of the studio without a person: by other programs and by rules. The network task and the
//! thread that follow them are outside the studio, like the window. Here are the choices, the
//! password, and the state that the network task reports.

use crate::base::Secret;
use crate::net::random_hex;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::stream_keys::KeyOwner;
use crate::studio::settings::{MAX_RULES, RemoteChoices, Rule};
use crate::studio::snapshot::{RemoteControlView, RemoteReport};

/// The name under which the password is stored.
const PASSWORD_NAME: &str = "remote-control";

impl Engine {
    pub(super) fn remote_view(&self) -> RemoteControlView {
        let state = &self.state.remote_control;
        RemoteControlView {
            choices: self.settings.remote,
            password: state.password.clone(),
            report: state.report.clone(),
        }
    }

    /// Requests the stored password, if remote control is on.
    pub(super) fn fetch_remote_password(&mut self) {
        let state = &mut self.state.remote_control;
        let is_wanted = self.settings.remote.obs_websocket && state.password.is_none();
        if let Some(keys) = self.secrets.keys.as_ref().filter(|_| is_wanted) {
            keys.load(KeyOwner::RemoteControl, PASSWORD_NAME);
            state.password_pending = true;
        }
    }

    /// Takes the stored password. If it was lost, onair makes another one, so that no client gets
    /// in without a password.
    pub(super) fn remote_password_loaded(&mut self, password: Option<Secret>) {
        // A password that was made meanwhile is newer.
        if !std::mem::take(&mut self.state.remote_control.password_pending) {
            return;
        }
        match password {
            Some(password) => self.state.remote_control.password = Some(password),
            None => self.renew_remote_password(),
        }
    }

    pub(super) fn set_remote_control(&mut self, choices: RemoteChoices) {
        if choices == self.settings.remote || choices.port == 0 {
            return;
        }
        self.settings.remote = choices;
        self.changed();
        if !choices.obs_websocket {
            self.notices.take_back("remote-failed");
        }
        let state = &self.state.remote_control;
        if choices.obs_websocket && state.password.is_none() && !state.password_pending {
            self.fetch_remote_password();
            if self.secrets.keys.is_none() {
                self.renew_remote_password();
            }
        }
    }

    /// Makes a new password, and stores it.
    pub(super) fn renew_remote_password(&mut self) {
        let state = &mut self.state.remote_control;
        state.password_pending = false;
        let Some(password) = random_hex().map(Secret::new) else { return };
        state.password = Some(password.clone());
        if let Some(keys) = &self.secrets.keys {
            keys.keep_or_file(PASSWORD_NAME, &password);
        }
    }

    pub(super) fn note_remote_control(&mut self, report: RemoteReport) {
        if report.problem != self.state.remote_control.report.problem {
            self.notices.take_back("remote-failed");
            if let Some(reason) = report.problem.clone() {
                self.notices.raise(&StudioMessage::RemoteFailed { reason }, "");
            }
        }
        self.state.remote_control.report = report;
        self.tell_unseen();
    }

    pub(super) fn set_rules(&mut self, mut rules: Vec<Rule>) {
        rules.truncate(MAX_RULES);
        rules.retain(Rule::fits);
        if rules != self.settings.rules {
            self.settings.rules = rules;
            self.changed();
        }
    }

    pub(super) fn pause_rule(&mut self, rule: &Rule) {
        let Some(known) = self.settings.rules.iter_mut().find(|known| *known == rule) else {
            return;
        };
        known.enabled = false;
        self.notices.raise(&StudioMessage::RulePaused { rule: rule.line() }, "");
        self.changed();
    }

    /// Returns true if nothing is sent or recorded, and no other program controls the studio.
    pub(super) fn is_alone(&self) -> bool {
        !self.live.is_busy() && !self.has_remote_clients()
    }

    /// Returns true if other programs control the studio. They also read the meters.
    pub(super) fn has_remote_clients(&self) -> bool {
        !self.state.remote_control.report.clients.is_empty()
    }

    /// Sets whether nobody sees the program in the window.
    pub fn set_unseen(&mut self, unseen: bool) {
        self.state.unseen = unseen;
        self.tell_unseen();
    }

    /// Tells the compositor and the mixer whether anybody sees the program and the meters. The
    /// virtual camera also shows the program.
    pub(crate) fn tell_unseen(&self) {
        if let Some(program) = &self.state.program {
            let is_shown = self.state.virtual_camera.is_some();
            program.compositor().set_unseen(self.state.unseen && !is_shown);
            program.mixer().set_unseen(self.state.unseen && !self.has_remote_clients());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::at_rest;
    use crate::studio::settings::MAX_RULE_TEXT_BYTES;
    use crate::text::problem::problem;

    #[test]
    fn a_paused_rule_stays_in_the_list_and_is_reported() {
        let (mut engine, _ends) = at_rest(None);
        let rule = Rule::of_line("scene:A => scene:B").unwrap();
        let long = Rule { when: "x".repeat(MAX_RULE_TEXT_BYTES + 1), ..Rule::default() };
        engine.set_rules(vec![rule.clone(), long]);
        assert_eq!(engine.settings.rules, std::slice::from_ref(&rule));
        engine.pause_rule(&rule);
        assert_eq!(engine.settings.rules, [Rule { enabled: false, ..rule.clone() }]);
        let notices = |engine: &Engine| {
            let notices = engine.notices.active.notices();
            notices.iter().filter(|notice| notice.key() == "rule-paused").count()
        };
        assert_eq!(notices(&engine), 1);
        engine.set_rules(vec![rule; MAX_RULES + 1]);
        assert_eq!(engine.settings.rules.len(), MAX_RULES);
    }

    #[test]
    fn a_password_is_made_once_and_renewed_on_request() {
        let (mut engine, _ends) = at_rest(None);
        assert_eq!(engine.remote_view(), RemoteControlView::default());
        let switched = |obs_websocket| RemoteChoices { obs_websocket, ..RemoteChoices::default() };
        engine.set_remote_control(switched(true));
        let first = engine.remote_view().password;
        assert_eq!(first.as_ref().map(|it| it.expose().len()), Some(32));
        engine.set_remote_control(switched(false));
        engine.set_remote_control(switched(true));
        assert_eq!(engine.remote_view().password, first);
        engine.renew_remote_password();
        assert_ne!(engine.remote_view().password, first);
        engine.set_remote_control(RemoteChoices { port: 0, ..switched(true) });
        assert_eq!(engine.remote_view().choices, switched(true));
    }

    #[test]
    fn a_taken_port_is_a_notice_until_it_is_free() {
        let (mut engine, _ends) = at_rest(None);
        let report = |problem| RemoteReport { problem, ..RemoteReport::default() };
        let count = |engine: &Engine| {
            let notices = engine.notices.active.notices();
            notices.iter().filter(|notice| notice.key() == "remote-failed").count()
        };
        engine.note_remote_control(report(Some(problem!("io-in-use"))));
        engine.note_remote_control(report(Some(problem!("io-in-use"))));
        assert_eq!(count(&engine), 1);
        engine.note_remote_control(report(None));
        assert_eq!(count(&engine), 0);
    }
}
