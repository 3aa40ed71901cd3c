//! Outgoing HTTP: in this version every request is denied, and says so in the app's log.

use async_trait::async_trait;
use http::{Request, Response};
use lodge_model::{
    Account, LogLevel, Outbound, OutboundError, OutboundOptions, RequestBody, ResponseBody,
};
use std::sync::Arc;

/// No way out.
pub(crate) struct NoOutbound {
    account: Arc<dyn Account>,
}

impl NoOutbound {
    pub(crate) fn new(account: Arc<dyn Account>) -> Self {
        Self { account }
    }
}

#[async_trait]
impl Outbound for NoOutbound {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _options: OutboundOptions,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        let host = request.uri().host().unwrap_or_default();
        let text =
            format!("a request to {host} was denied: outgoing HTTP is not granted in this version");
        self.account.log(LogLevel::Warn, text.clone());
        Err(OutboundError::Denied(text))
    }
}
