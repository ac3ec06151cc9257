//! Finds the session of a datagram: by the user name in an ICE request, by the transaction of an ICE response, or by
//! the source address. One port serves all sessions.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::webrtc::UdpPath;
use crate::server::webrtc::mailbox::{CheckTag, IceNames, Mailbox, Role};
use crate::server::webrtc::path::Path;
use crate::wire::webrtc::stun;

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Routes(Mutex<Maps>);

#[derive(Debug, Default)]
struct Maps {
    by_ufrag: HashMap<String, Arc<Mailbox>>,
    by_resource: HashMap<String, Arc<Mailbox>>,
    by_check: HashMap<CheckTag, Arc<Mailbox>>,
    by_address: HashMap<SocketAddr, Arc<Mailbox>>,
}

impl Routes {
    /// Adds a session.
    pub(super) fn add(&self, mailbox: &Arc<Mailbox>) {
        let mut maps = self.0.lock();
        maps.by_ufrag.insert(mailbox.ice().local, Arc::clone(mailbox));
        maps.by_resource.insert(mailbox.resource.clone(), Arc::clone(mailbox));
        maps.by_check.insert(mailbox.check_tag, Arc::clone(mailbox));
    }

    /// Records that this address has answered a check of this session.
    pub(super) fn learn(&self, mailbox: &Arc<Mailbox>, address: SocketAddr) {
        self.0.lock().by_address.insert(address, Arc::clone(mailbox));
    }

    /// Removes a session and its addresses.
    pub(super) fn remove(
        &self,
        mailbox: &Arc<Mailbox>,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) {
        let mut maps = self.0.lock();
        maps.by_ufrag.remove(&mailbox.ice().local);
        maps.by_resource.remove(&mailbox.resource);
        maps.by_check.remove(&mailbox.check_tag);
        for address in addresses {
            maps.forget(mailbox, address);
        }
    }

    /// Changes the ICE user name fragments of a session.
    pub(super) fn rename(&self, mailbox: &Arc<Mailbox>, ice: IceNames) {
        let mut maps = self.0.lock();
        maps.by_ufrag.insert(ice.local.clone(), Arc::clone(mailbox));
        let before = mailbox.set_ice(ice);
        maps.by_ufrag.remove(&before.local);
    }

    /// Returns the session that an ICE request names.
    pub(super) fn of_request(&self, datagram: &[u8]) -> Option<Arc<Mailbox>> {
        self.0.lock().by_ufrag.get(stun::local_ufrag(datagram)?).cloned()
    }

    /// Removes the address of a session.
    pub(super) fn forget(&self, mailbox: &Arc<Mailbox>, address: SocketAddr) {
        self.0.lock().forget(mailbox, address);
    }

    /// Returns the number of sessions.
    pub(super) fn count(&self) -> usize {
        self.0.lock().by_resource.len()
    }

    /// Calls `tell` for every session.
    pub(super) fn each(&self, mut tell: impl FnMut(&Mailbox)) {
        self.0.lock().by_resource.values().for_each(|mailbox| tell(mailbox));
    }

    /// Returns the session with this URL and a peer of this role.
    pub(super) fn of_resource(&self, role: Role, resource: &str) -> Option<Arc<Mailbox>> {
        self.0.lock().by_resource.get(resource).filter(|mailbox| mailbox.role == role).cloned()
    }

    /// Passes a datagram to its session, if it has one.
    pub(super) fn deliver(&self, datagram: &[u8], from: UdpPath) {
        let maps = self.0.lock();
        // libnice repeats the user name of a request in its response, where it names the viewer.
        let found = match (stun::answered(datagram), stun::local_ufrag(datagram)) {
            (Some(transaction), _) => {
                transaction.first_chunk().and_then(|tag| maps.by_check.get(tag))
            }
            (None, Some(ufrag)) => maps.by_ufrag.get(ufrag),
            (None, None) => maps.by_address.get(&from.peer),
        };
        let Some(mailbox) = found.map(Arc::clone) else { return };
        drop(maps);
        if mailbox.wants(datagram) {
            mailbox.datagram(datagram, Path::Udp(from));
        }
    }
}

impl Maps {
    fn forget(&mut self, mailbox: &Arc<Mailbox>, address: SocketAddr) {
        if self.by_address.get(&address).is_some_and(|known| Arc::ptr_eq(known, mailbox)) {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::webrtc::rtcp;

    #[test]
    fn datagrams_find_their_session() {
        let routes = Routes::default();
        let names = |local: &str| IceNames { local: local.into(), remote: "it".into() };
        let ours = Mailbox::new(1, "secret".into(), names("ours"));
        let other = Mailbox::new(2, "other".into(), names("othe"));
        routes.add(&ours);
        routes.add(&other);
        let path = |ip: [u8; 4]| UdpPath::from(SocketAddr::from((ip, 5)));
        let (home, away) = (path([192, 0, 2, 1]), path([192, 0, 2, 2]));
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
        request.extend([0; 12]);
        request.extend(b"\0\x06\0\x07ours:it\0");
        routes.deliver(&request, home);
        routes.deliver(&[22, 254, 253], home);
        assert_eq!(ours.take().datagrams.len(), 1, "its address is not known yet");
        routes.learn(&ours, home.peer);
        routes.deliver(&[22, 254, 253], home);
        routes.deliver(&[128, 200], home);
        routes.deliver(&[128, 96], home);
        routes.deliver(&[22, 254, 253], away);
        routes.deliver(&[], home);
        assert_eq!(ours.take().datagrams.len(), 2, "DTLS and RTCP, no media");
        let publisher = Mailbox::of_publisher(3, "third".into(), names("thir"));
        routes.add(&publisher);
        routes.learn(&publisher, away.peer);
        routes.deliver(&[128, 96], away);
        routes.deliver(&[128], away);
        assert_eq!(publisher.take().datagrams.len(), 1, "media of a publisher");
        assert!(routes.of_resource(Role::Viewer, "third").is_none());
        assert!(routes.of_resource(Role::Publisher, "third").is_some());
        routes.remove(&publisher, [away.peer]);
        // The response to a check may come from an address that is not known yet.
        let response =
            [&[1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42], &ours.check_tag[..], &[0; 6]].concat();
        routes.deliver(&response, away);
        let with_name = [&response[..], b"\0\x06\0\x07it:ours\0"].concat();
        routes.deliver(&with_name, away);
        assert_eq!(ours.take().datagrams.len(), 2);
        assert!(
            rtcp::is_rtcp(&[128, 200])
                && !rtcp::is_rtcp(&[128, 96])
                && !rtcp::is_rtcp(&[22, 254, 253])
        );
        assert_eq!(routes.of_resource(Role::Viewer, "secret").unwrap().id, 1);
        assert_eq!(routes.of_request(&request).unwrap().id, 1);
        routes.rename(&ours, names("new"));
        assert!(routes.of_request(&request).is_none());
        // An address belongs to the session that uses it now.
        routes.learn(&other, home.peer);
        routes.remove(&ours, [home.peer]);
        routes.deliver(&[22, 254, 253], home);
        assert_eq!(other.take().datagrams.len(), 1);
        assert!(routes.of_resource(Role::Viewer, "secret").is_none());
    }
}
