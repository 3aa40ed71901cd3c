use lodge_sdk::{Error, Method, Request, Response, StatusCode};

/// Answers every request. An error becomes a 500, and a line in the app's log.
#[lodge_sdk::http]
async fn handle(request: Request) -> Result<Response, Error> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => Ok(Response::new("Hello from {{name}}\n".into())),
        (&Method::POST, "/echo") => Ok(Response::new(request.into_body())),
        _ => {
            let mut response = Response::new("Not found\n".into());
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
    }
}
