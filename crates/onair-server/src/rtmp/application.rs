//! The application to which a client connects, before it publishes or plays there.

use crate::server::access::action::Action;
use crate::server::access::callback::visit::Call;
use crate::server::access::denied::Denied;
use crate::server::access::grant::Grant;
use crate::server::rtmp::Task;
use crate::server::rtmp::connection::Error;
use crate::server::rtmp::pending_request::{PendingRequest, application_of};
use crate::server::stream::sink::Sink as _;
use crate::wire::rtmp::command::Connect;
use crate::wire::rtmp::server::Session;
use crate::wire::rtmp::stream_name::StreamName;

impl Task {
    /// Asks whether the client may publish or play. Some clients name a stream in connect. Their
    /// application is known only now, so whether they may connect there comes first.
    pub(super) fn ask(&mut self, mut name: StreamName, call: Call) {
        let connect = self.connection.with_session(|session| session.connect().clone());
        if let Some(app) = &self.app {
            name.app = app.to_string();
        } else if name.app != application_of(&connect).app {
            let client = (self.connection.id(), self.connection.peer);
            let asked = PendingRequest::application(&self.registry, client, &connect, name, call);
            self.pending = Some(Box::new(asked));
            return;
        }
        self.ask_for_stream(&connect, name, call);
    }

    fn ask_for_stream(&mut self, connect: &Connect, name: StreamName, call: Call) {
        let client = (self.connection.id(), self.connection.peer);
        let asked = PendingRequest::stream(&self.registry, client, connect, name, call);
        self.pending = Some(Box::new(asked));
    }

    /// Accepts or rejects the connection.
    pub(super) fn connected(&mut self, decision: Result<Grant, Denied>) -> Result<(), Error> {
        let connection = &self.connection;
        match decision {
            Ok(grant) => {
                self.app = grant.renamed.map(String::into_boxed_str);
                self.accept_connect()
            }
            Err(denied) => {
                let code = denied.connect_code();
                let text = match denied {
                    Denied::Callback => "The application refuses this client.".to_owned(),
                    denied => denied.problem(Action::Play).to_string(),
                };
                connection.send_error(Session::reject_connect, code, text);
                Ok(())
            }
        }
    }

    /// Continues with the request for a stream, if the client may connect to its application.
    pub(super) fn entered(
        &mut self,
        mut name: StreamName,
        call: Call,
        decision: Result<Grant, Denied>,
    ) -> Result<(), Error> {
        let denied = match decision {
            Ok(grant) => {
                name.app = grant.renamed.unwrap_or(name.app);
                let connect = self.connection.with_session(|session| session.connect().clone());
                self.ask_for_stream(&connect, name, call);
                return Ok(());
            }
            Err(denied) => denied,
        };
        match call {
            Call::Publish { .. } => self.publish(name, Err(denied)),
            _ => self.play(name, Err(denied)),
        }
    }
}
