//! Follows the choices in the settings: starts, moves and ends the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::net::all_addresses;
use crate::server::{ListenOptions, RemoteServer};
use onair_base::text::Problem;
use onair_studio::engine::handle::StudioLink;
use onair_studio::snapshot::{RemoteControlView, RemoteReport};
use onair_studio::{Command, Snapshot};

/// Interval between two looks at the choices.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Interval between two attempts to listen.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Remote control as the settings say. Dropping it ends the server.
#[derive(Debug)]
pub struct RemoteControl(JoinHandle<()>);

impl RemoteControl {
    /// Follows the settings of this studio.
    pub fn follow(link: StudioLink) -> Self {
        let runtime = link.runtime.clone();
        Self(runtime.spawn(follow(link)))
    }
}

impl Drop for RemoteControl {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns where to listen, if remote control is on and the password is known.
fn wanted(view: &RemoteControlView) -> Option<ListenOptions> {
    let password = view.password.clone().filter(|_| view.choices.obs_websocket)?;
    let ip = match view.choices.network {
        true => all_addresses(),
        false => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Some(ListenOptions { address: SocketAddr::new(ip, view.choices.port), password })
}

async fn follow(link: StudioLink) {
    let mut server: Option<(ListenOptions, RemoteServer)> = None;
    // The options that failed, and the time of the next attempt.
    let mut failed: Option<(ListenOptions, Instant)> = None;
    let report = |problem: Option<Problem>| {
        let report = RemoteReport { problem, ..RemoteReport::default() };
        let _ = link.send(Command::RemoteControlReport(report));
    };
    let mut seen = 0;
    let mut newest: Option<Snapshot> = None;
    loop {
        newest = link.snapshots.newer(&mut seen).or(newest);
        let wanted = newest.as_ref().filter(|it| !it.ended).and_then(|it| wanted(&it.remote));
        if server.as_ref().map(|(options, _)| options) != wanted.as_ref() {
            if let Some((_, old)) = server.take() {
                old.end().await;
                report(None);
            }
            let waits = failed.as_ref().is_some_and(|(options, until)| {
                Some(options) == wanted.as_ref() && Instant::now() < *until
            });
            match wanted {
                None if failed.take().is_some() => report(None),
                Some(options) if !waits => {
                    match RemoteServer::start(link.clone(), options.clone()) {
                        Ok(started) => (server, failed) = (Some((options, started)), None),
                        Err(error) => {
                            report(Some(Problem::from(&error)));
                            failed = Some((options, Instant::now() + RETRY_INTERVAL));
                        }
                    }
                }
                None | Some(_) => {}
            }
        }
        sleep(LOOK_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onair_base::base::Secret;
    use onair_studio::settings::RemoteChoices;

    #[test]
    fn nothing_listens_without_a_password_or_while_it_is_off() {
        let mut view = RemoteControlView::default();
        assert_eq!(wanted(&view), None);
        view.choices = RemoteChoices { obs_websocket: true, ..RemoteChoices::default() };
        assert_eq!(wanted(&view), None);
        view.password = Some(Secret::new("a password"));
        let here = wanted(&view).unwrap().address;
        assert_eq!(here.to_string(), "127.0.0.1:4455");
        view.choices.network = true;
        assert!(wanted(&view).unwrap().address.ip().is_unspecified());
        view.choices.obs_websocket = false;
        assert_eq!(wanted(&view), None);
    }
}
