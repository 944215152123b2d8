//! HTTP, without a library in between.

use serde_json::{Value, json};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

/// Sends `method` to `url`, with `header` and `body` if there are any, and
/// follows redirects if it is to `follow`.
pub(crate) fn request(input: &Value) -> Result<Value, String> {
    let mut url = input["url"].as_str().unwrap_or_default().to_owned();
    loop {
        let response = answer(&send(input, &url)?)?;
        let next = response.headers().get("location").first().map(|next| String::from_utf8_lossy(next).into_owned());
        match next.filter(|_| input["follow"] == true) {
            Some(next) => url = next,
            None => return read(&response),
        }
    }
}

/// Sends one request after the other, however each ends; what came of them.
pub(crate) fn repeat(input: &Value) -> Result<Value, String> {
    let url = input["url"].as_str().unwrap_or_default();
    let count = input["count"].as_u64().unwrap_or_default();
    let answers = (0..count).map(|_| {
        let read = send(input, url).and_then(|future| read(&answer(&future)?));
        read.map_or_else(Value::from, |response| response["status"].clone())
    });
    Ok(answers.collect())
}

/// Starts requests and never looks at them.
pub(crate) fn hoard(input: &Value) -> Result<Value, String> {
    let url = input["url"].as_str().unwrap_or_default();
    let mut held = Vec::new();
    for _ in 0..input["count"].as_u64().unwrap_or_default() {
        held.push(send(input, url)?);
    }
    let mut answers: Vec<String> = Vec::new();
    for future in held.into_iter().rev() {
        answers.push(match answer(&future) {
            Ok(response) => response.status().to_string(),
            Err(error) => error,
        });
        if input["drop"] != true {
            std::mem::forget(future);
        }
    }
    Ok(json!(answers))
}

fn send(input: &Value, url: &str) -> Result<FutureIncomingResponse, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let headers = Fields::new();
    if let Some([name, value]) = input["header"].as_array().map(Vec::as_slice) {
        let (name, value) = (name.as_str().unwrap_or_default(), value.as_str().unwrap_or_default());
        headers.append(name, value.as_bytes()).map_err(|error| format!("{error:?}"))?;
    }
    let request = OutgoingRequest::new(headers);
    let method = match input["method"].as_str().unwrap_or("GET") {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let set = request.set_method(&method).and_then(|()| request.set_scheme(Some(&scheme)));
    let set = set.and_then(|()| request.set_authority(Some(authority)));
    set.and_then(|()| request.set_path_with_query(Some(path))).map_err(|()| "refused by the request")?;
    let body = request.body().map_err(|()| "no body")?;
    let future = handle(request, None).map_err(|code| told(&code))?;
    if let Some(text) = input["body"].as_str() {
        let stream = body.write().map_err(|()| "no stream")?;
        stream.blocking_write_and_flush(text.as_bytes()).map_err(|error| format!("{error:?}"))?;
    }
    OutgoingBody::finish(body, None).map_err(|code| told(&code))?;
    Ok(future)
}

fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    loop {
        match future.get() {
            Some(response) => return response.map_err(|()| "taken twice")?.map_err(|code| told(&code)),
            None => future.subscribe().block(),
        }
    }
}

fn read(response: &IncomingResponse) -> Result<Value, String> {
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let (mut bytes, mut text) = (0, Vec::new());
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => {
                bytes += chunk.len();
                text.extend(chunk.into_iter().take(1_000_usize.saturating_sub(text.len())));
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error).map_or_else(String::new, |code| told(&code));
                return Err(format!("after {bytes} bytes: {code}"));
            }
        }
    }
    Ok(json!({ "status": response.status(), "bytes": bytes, "text": String::from_utf8_lossy(&text) }))
}

fn told(code: &ErrorCode) -> String {
    format!("{code:?}")
}
