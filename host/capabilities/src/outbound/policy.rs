//! What one app may call, and what nobody may.

use super::OutboundService;
use super::address::{embedded, is_public};
use super::refusals::Refusals;
use super::target::{Place, Target};
use lodge_model::{OutboundError, OutboundHost};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

/// One app's grants, beside the host's own rules.
pub(super) struct Policy {
    pub(super) service: Arc<OutboundService>,
    pub(super) grants: Vec<OutboundHost>,
    pub(super) refusals: Refusals,
}

impl Policy {
    /// Refuses targets that the app was not granted.
    pub(super) fn check_target(&self, target: &Target) -> Result<(), OutboundError> {
        if self.grants.iter().any(|grant| target.is_opened_by(grant)) {
            return Ok(());
        }
        let why = "it is not among the app's outbound_hosts";
        self.refusals
            .tell(|| format!("a call to {target} was refused: {why}"));
        Err(OutboundError::Denied(format!(
            "{target} may not be called: {why}"
        )))
    }

    /// Those of a target's addresses that may be connected to.
    pub(super) fn permitted(
        &self,
        target: &Target,
        addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, OutboundError> {
        if addresses.is_empty() {
            return Err(OutboundError::NameNotFound(format!(
                "{target} has no address"
            )));
        }
        let mut refused = None;
        let mut permitted = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.check_address(address) {
                Ok(()) => permitted.push(address),
                Err(why) => refused = Some((address.ip(), why)),
            }
        }
        match refused {
            Some((address, why)) if permitted.is_empty() => {
                // The address itself is the administrator's to know.
                self.refusals.tell(|| {
                    format!("a call to {target} was refused: its address {address} {why}")
                });
                Err(OutboundError::Denied(format!(
                    "{target} may not be called: its address {why}"
                )))
            }
            _ => Ok(permitted),
        }
    }

    fn check_address(&self, address: SocketAddr) -> Result<(), &'static str> {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        if self.service.is_forbidden(ip, port) {
            return Err("belongs to Lodge itself, and no grant opens it");
        }
        let granted = |grant| {
            let place = Place::Address(ip);
            Target { place, port }.is_opened_by(grant)
        };
        if is_public(ip) || self.service.is_opened(ip) || self.grants.iter().any(granted) {
            return Ok(());
        }
        Err("is not a public one: an administrator can grant the address itself")
    }
}

impl OutboundService {
    /// Whether an address is one of Lodge's own listeners, its Redis or its databases, in whatever
    /// form, or a local address with the port of one.
    fn is_forbidden(&self, ip: IpAddr, port: u16) -> bool {
        let forbidden = self.forbidden.read();
        if !forbidden.iter().any(|address| address.port() == port) {
            return false;
        }
        let forms = [Some(ip), embedded(ip)];
        forms.into_iter().flatten().any(|ip| {
            is_local(ip)
                || forbidden
                    .iter()
                    .any(|a| a.port() == port && a.ip().to_canonical() == ip)
        })
    }

    /// Whether the operator opened the network it is in.
    fn is_opened(&self, ip: IpAddr) -> bool {
        self.private_networks
            .iter()
            .any(|network| network.contains(&ip))
    }
}

/// Whether connecting there ends on this machine. The kernel knows its own addresses: only those can
/// be bound.
fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}
