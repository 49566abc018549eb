//! The grants of secrets.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::model::{Role, scope};

/// The rights that a secret grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grant {
    /// Every role and every scope.
    #[default]
    Everything,
    /// These roles and scopes only.
    Only(Arc<Permit>),
}

/// The roles and scopes that a secret permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The roles.
    pub roles: Box<[Role]>,
    /// The scopes, which satisfy others by the usual rules: `operator.write` satisfies `operator.read`.
    pub scopes: Box<[Box<str>]>,
    /// Whether addresses are hidden from its connections.
    pub hides_addresses: bool,
}

impl Grant {
    /// Whether it permits this role.
    #[must_use]
    pub fn permits_role(&self, role: Role) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(permit) => permit.roles.contains(&role),
        }
    }

    /// Whether an operator has this scope.
    #[must_use]
    pub fn permits_scope(&self, wanted: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(permit) => {
                permit.roles.contains(&Role::Operator) && scope::is_satisfied(&permit.scopes, wanted)
            }
        }
    }

    /// Whether addresses are hidden from its connections.
    #[must_use]
    pub fn hides_addresses(&self) -> bool {
        matches!(self, Self::Only(permit) if permit.hides_addresses)
    }

    /// Returns the requested scopes that it permits, in the order of the request.
    #[must_use]
    pub fn permitted(&self, asked: &Arc<[Box<str>]>) -> Arc<[Box<str>]> {
        let Self::Only(permit) = self else {
            return Arc::clone(asked);
        };
        let permitted = asked
            .iter()
            .filter(|wanted| scope::is_satisfied(&permit.scopes, wanted));
        permitted.cloned().collect::<Vec<_>>().into()
    }

    /// Whether it permits all that `other` permits.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Only(_), Self::Everything) => false,
            (Self::Only(permit), Self::Only(other)) => {
                (other.hides_addresses || !permit.hides_addresses)
                    && other.roles.iter().all(|role| permit.roles.contains(role))
                    && other
                        .scopes
                        .iter()
                        .all(|wanted| scope::is_satisfied(&permit.scopes, wanted))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(roles: &[Role], scopes: &[&str]) -> Grant {
        Grant::Only(Arc::new(Permit {
            roles: roles.into(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            hides_addresses: false,
        }))
    }

    fn asked(scopes: &[&str]) -> Arc<[Box<str>]> {
        scopes.iter().map(|scope| (*scope).into()).collect()
    }

    #[test]
    fn scopes_are_cut_to_those_that_the_secret_satisfies() {
        let reader = only(&[Role::Operator], &["operator.read"]);
        let writer = only(&[Role::Operator], &["operator.write"]);
        let admin = only(&[Role::Operator, Role::Node], &["operator.admin"]);
        let all = asked(&["operator.admin", "operator.read", "operator.write", "other"]);
        assert_eq!(reader.permitted(&all), asked(&["operator.read"]));
        assert_eq!(
            writer.permitted(&all),
            asked(&["operator.read", "operator.write"])
        );
        assert_eq!(admin.permitted(&all), all);
        assert_eq!(Grant::Everything.permitted(&all), all);
        assert!(!reader.permits_role(Role::Node) && admin.permits_role(Role::Node));
        assert!(reader.permits_scope("operator.read") && !reader.permits_scope("operator.write"));
        assert!(!only(&[Role::Node], &["operator.read"]).permits_scope("operator.read"));

        assert!(writer.covers(&reader) && !reader.covers(&writer));
        assert!(admin.covers(&writer) && !writer.covers(&admin));
        assert!(Grant::Everything.covers(&admin) && !admin.covers(&Grant::Everything));
        let Grant::Only(permit) = &reader else {
            return;
        };
        let hidden = Grant::Only(Arc::new(Permit {
            hides_addresses: true,
            ..Permit::clone(permit)
        }));
        assert!(
            hidden.hides_addresses() && !reader.hides_addresses() && !Grant::Everything.hides_addresses()
        );
        assert!(reader.covers(&hidden) && hidden.covers(&hidden) && !hidden.covers(&reader));
    }
}
