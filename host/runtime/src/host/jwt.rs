//! `lodge:host/jwt`: tokens, signed and verified by the host.

use super::View;
use super::sync::lodge::host::jwt as wit;
use lodge_model::TokenError;
use wasmtime::Result;

impl wit::Host for View<'_> {
    fn sign(
        &mut self,
        claims: String,
        options: wit::SignOptions,
    ) -> Result<std::result::Result<String, wit::Error>> {
        let options = lodge_model::SignOptions {
            expires_in: options.expires_in,
            not_before_in: options.not_before_in,
            issuer: options.issuer,
            audience: options.audience,
            subject: options.subject,
        };
        let signed = self.capabilities.tokens.sign(&claims, &options);
        Ok(signed.map_err(wit::Error::from))
    }

    fn verify(
        &mut self,
        token: String,
        expected: wit::Expectations,
    ) -> Result<std::result::Result<String, wit::Error>> {
        let expected = lodge_model::Expectations {
            issuer: expected.issuer,
            audience: expected.audience,
            leeway: expected.leeway,
        };
        let verified = self.capabilities.tokens.verify(&token, &expected);
        Ok(verified.map_err(wit::Error::from))
    }
}

impl From<TokenError> for wit::Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed(text) => Self::Malformed(text),
            TokenError::BadSignature => Self::BadSignature,
            TokenError::Expired => Self::Expired,
            TokenError::NotYetValid => Self::NotYetValid,
            TokenError::Unexpected(text) => Self::Unexpected(text),
            TokenError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}
