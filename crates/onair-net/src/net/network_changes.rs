//! Reports changes of the computer's network: interfaces or addresses that appear or disappear, and
//! changed routes. A task on the runtime sleeps until the kernel reports a change.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::base::queue::{self, Full, Receiver};
use crate::net::backend::interfaces::ActiveInterface;
use crate::net::runtime::Runtime;

/// Maximum number of unread changes. The reader checks for changes ten times per second.
const MAX_UNREAD_CHANGES: usize = 16;

/// A change of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkChange {
    /// New interfaces and addresses, such as `eth0` and `192.0.2.7 (eth0)`.
    pub came: Vec<String>,
    /// Interfaces and addresses that have disappeared.
    pub gone: Vec<String>,
    /// True if a route was added or removed.
    pub route: bool,
}

/// The receiver of changes. Dropping the receiver ends the task at the next change.
#[derive(Debug)]
pub struct NetworkChanges {
    receiver: Receiver<NetworkChange>,
}

impl NetworkChanges {
    /// Starts listening for changes.
    ///
    /// # Errors
    /// Fails if the system does not report changes.
    pub fn listen(runtime: &Runtime) -> io::Result<Self> {
        use std::time::Duration;

        use tokio::time::sleep;

        use crate::net::backend::interfaces::{listen, present};

        /// The time within which several changes count as one, because a new interface causes
        /// several changes at the same time.
        const COALESCE_WINDOW: Duration = Duration::from_millis(250);

        let (sender, receiver) =
            queue::bounded("network changes", MAX_UNREAD_CHANGES, Full::DropOldest);
        let _inside = runtime.handle().enter();
        let changes = listen()?;
        let mut before = present();
        runtime.spawn(async move {
            loop {
                let Ok(first) = changes.next().await else { return };
                if !first.any {
                    continue;
                }
                sleep(COALESCE_WINDOW).await;
                let Ok(more) = changes.waiting() else { return };
                let now = present();
                let change = difference(&before, &now, first.route || more.route);
                before = now;
                if change != NetworkChange::default() && sender.send(change).is_err() {
                    return;
                }
            }
        });
        Ok(Self { receiver })
    }

    /// Returns the changes since the last call.
    pub fn poll(&self) -> Option<NetworkChange> {
        self.receiver.try_recv().ok()
    }
}

fn difference(before: &[ActiveInterface], now: &[ActiveInterface], route: bool) -> NetworkChange {
    let words = |some: &[ActiveInterface], others: &[ActiveInterface]| {
        let new = some.iter().filter(|it| !others.contains(it));
        new.map(|it| match it.address {
            Some(address) => format!("{address} ({})", it.interface),
            None => it.interface.clone(),
        })
        .collect()
    };
    NetworkChange { came: words(now, before), gone: words(before, now), route }
}

/// Returns true if the address still belongs to this computer, or if that is unknown.
pub(in crate::net) fn is_own(address: IpAddr) -> bool {
    match UdpSocket::bind(SocketAddr::new(address, 0)) {
        Ok(_) => true,
        // Other errors do not concern the address.
        Err(error) => error.kind() != io::ErrorKind::AddrNotAvailable,
    }
}

/// Returns true if this computer's routes and interfaces lead to the address, or if that is
/// unknown. This function sends nothing.
pub(in crate::net) fn leads_to(address: IpAddr) -> bool {
    use io::ErrorKind as Kind;
    let any = match address {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0_u16; 8]),
    };
    // If the system has no IPv6, no IPv6 route exists.
    let Ok(socket) = UdpSocket::bind((any, 0)) else { return address.is_ipv4() };
    // This call only looks up the route.
    match socket.connect((address, 9)).and_then(|()| socket.local_addr()) {
        Ok(from) => is_up(from.ip().to_canonical()),
        Err(error) => !matches!(
            error.kind(),
            Kind::NetworkUnreachable
                | Kind::HostUnreachable
                | Kind::NetworkDown
                | Kind::AddrNotAvailable
        ),
    }
}

/// Returns true if any route leads beyond the computer's own networks.
pub(in crate::net) fn leads_anywhere() -> bool {
    // Addresses of the documentation networks (RFC 5737, RFC 3849).
    let [four, six] =
        [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])];
    leads_to(four) || leads_to(six)
}

/// Returns true if the interface with this address is up and connected.
fn is_up(own: IpAddr) -> bool {
    let present = crate::net::backend::interfaces::present();
    own.is_loopback() || present.iter().any(|it| it.address == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_went_is_named() {
        let present = |interface: &str, address: Option<&str>| ActiveInterface {
            interface: interface.into(),
            address: address.map(|address| address.parse().unwrap()),
        };
        let before = [present("eth0", None), present("eth0", Some("192.0.2.7"))];
        let now = [present("eth0", None), present("wlan0", None)];
        let change = difference(&before, &now, false);
        assert_eq!(
            (change.came, change.gone),
            (vec!["wlan0".into()], vec!["192.0.2.7 (eth0)".into()])
        );
        assert_eq!(difference(&now, &now, false), NetworkChange::default());
    }

    #[test]
    fn the_way_to_this_machine_itself_is_always_there() {
        assert!(leads_to("127.0.0.1".parse().unwrap()));
        for present in crate::net::backend::interfaces::present() {
            if let Some(IpAddr::V4(own)) = present.address {
                assert!(leads_to(own.into()), "{present:?}");
            }
        }
    }

    #[test]
    fn own_addresses_are_known() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("198.51.100.7".parse().unwrap()));
    }
}
