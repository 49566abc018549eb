use presence_core::model::Role;

use super::*;

const fn at(wall_ms: u64) -> Now {
    Now { age_ms: 0, wall_ms }
}

fn token(name: &str, secret: &str, scope: &str, expires_ms: Option<u64>) -> NamedToken {
    let permit = Permit {
        roles: [Role::Operator].into(),
        scopes: [scope.into()].into(),
        hides_addresses: false,
    };
    NamedToken::new(name, &Secret::new(secret).unwrap(), permit, expires_ms).unwrap()
}

#[test]
fn a_token_is_found_by_its_secret_until_it_expires() {
    let tokens = Tokens::new(vec![
        token("a", "s3cret", "operator.read", Some(1_000)),
        token("b", "other", "operator.write", None),
    ])
    .unwrap();
    assert!(matches!(tokens.find(&["s3cret"], at(999)), Found::Match(token) if token.name() == "a"));
    assert!(matches!(tokens.find(&["x", "other"], at(999)), Found::Match(token) if token.name() == "b"));
    assert_eq!(tokens.find(&["s3cret"], at(1_000)), Found::Expired);
    for offered in [["s3cret", "other"], ["other", "s3cret"]] {
        assert!(matches!(tokens.find(&offered, at(1_000)), Found::Match(token) if token.name() == "b"));
    }
    assert_eq!(tokens.find(&["s3cre", "s3cret "], at(0)), Found::Nothing);
    assert_eq!(tokens.find(&[], at(0)), Found::Nothing);
    assert_eq!(tokens.end_expired(at(0)), 1_000);
    assert_eq!(tokens.end_expired(at(1_000)), u64::MAX);
}

#[test]
fn a_set_that_is_wrong_leaves_the_old_one() {
    let tokens = Tokens::new(vec![token("a", "s3cret", "operator.read", None)]).unwrap();
    let twice = |names: [&str; 2], secrets: [&str; 2]| {
        let pairs = names.into_iter().zip(secrets);
        tokens
            .replace(
                pairs
                    .map(|(name, secret)| token(name, secret, "x", None))
                    .collect(),
            )
            .unwrap_err()
    };
    assert_eq!(
        twice(["a", "a"], ["1", "2"]).to_string(),
        "two tokens have the name `a`"
    );
    let error = twice(["a", "b"], ["1", "1"]).to_string();
    assert_eq!(error, "the tokens `a` and `b` have the same secret");
    let many = (0..=MAX_TOKENS).map(|n| token(&n.to_string(), &format!("secret {n}"), "x", None));
    assert_eq!(tokens.replace(many.collect()), Err(InvalidToken::TooMany(1_001)));
    assert!(matches!(tokens.find(&["s3cret"], at(0)), Found::Match(..)));
}

#[derive(Debug)]
struct Open;

impl Closable for Open {
    fn close(&self, _: CloseFrame) {}
}

#[test]
fn a_connection_needs_a_token_that_permits_no_less() {
    let found = |tokens: &Tokens| match tokens.find(&["s3cret"], at(0)) {
        Found::Match(token) => token,
        found => panic!("{found:?}"),
    };
    let tokens = Tokens::new(vec![token("a", "s3cret", "operator.read", Some(1_000))]).unwrap();
    let token_then = found(&tokens);
    let connection: Arc<dyn Closable> = Arc::new(Open);
    let lease = |now| tokens.lease(&token_then, Arc::downgrade(&connection), now).err();
    assert_eq!(lease(at(999)), None);
    assert_eq!(lease(at(1_000)), Some(CloseFrame::TOKEN_EXPIRED));
    for (replacement, wanted) in [
        (token("renamed", "s3cret", "operator.read", None), None),
        (token("a", "s3cret", "operator.admin", None), None),
        (
            token("a", "s3cret", "operator.pairing", None),
            Some(CloseFrame::TOKEN_REVOKED),
        ),
        (
            token("a", "another", "operator.read", None),
            Some(CloseFrame::TOKEN_REVOKED),
        ),
    ] {
        tokens.replace(vec![replacement.clone()]).unwrap();
        assert_eq!(lease(at(0)), wanted, "{replacement:?}");
    }
}

#[test]
fn names_are_words_and_debug_shows_no_secret() {
    let permit = Permit {
        roles: [].into(),
        scopes: [].into(),
        hides_addresses: false,
    };
    let secret = Secret::new("s3cret").unwrap();
    for name in ["", "a b", "a\n", "é", &"x".repeat(65)] {
        let error = NamedToken::new(name, &secret, permit.clone(), None);
        assert!(matches!(error, Err(InvalidToken::Name(_))), "{name:?}");
    }
    let shown = format!("{:?}", token("a", "s3cret", "x", None));
    assert!(!shown.contains("s3cret") && !shown.contains("digest"), "{shown}");
}
