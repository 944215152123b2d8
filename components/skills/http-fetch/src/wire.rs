//! One request through the host.

use vak_sdk::skill::SkillError;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method as WireMethod, OutgoingBody, OutgoingRequest,
    Scheme,
};
use wasip2::io::streams::StreamError;

use crate::answer::Answer;
use crate::target::Target;
use crate::{Input, Method};

/// What one write may have.
const WRITE_BYTES_MAX: usize = 4_096;

/// Bytes of all names and values of headers in an answer.
const HEADER_BYTES_MAX: usize = 32 << 10;

const READ_BYTES_MAX: u64 = 64 << 10;

pub(crate) fn fetch(input: &Input, target: &Target<'_>) -> Result<Answer, SkillError> {
    let response = wait(&send(input, target)?, target)?;
    let status = response.status();
    let headers = response.headers().entries();
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > HEADER_BYTES_MAX {
        return Err(failed(format!(
            "the headers of the answer have {bytes} bytes, and the most is {HEADER_BYTES_MAX}"
        )));
    }
    Ok(Answer { status, headers, body: body(&response, input.body_bytes_max)? })
}

fn send(input: &Input, target: &Target<'_>) -> Result<FutureIncomingResponse, SkillError> {
    let headers = Fields::new();
    for (name, value) in &input.headers {
        let appended = headers.append(name, value.as_bytes());
        appended.map_err(|error| invalid(format!("the header `{name}` can't be sent: {error:?}")))?;
    }
    if let Some(text) = &input.body
        && !headers.has("content-length")
    {
        let appended = headers.append("content-length", text.len().to_string().as_bytes());
        appended.map_err(|error| failed(format!("the body's length can't be said: {error:?}")))?;
    }
    let request = OutgoingRequest::new(headers);
    let method = match input.method {
        Method::Get => WireMethod::Get,
        Method::Head => WireMethod::Head,
        Method::Post => WireMethod::Post,
    };
    let scheme = if target.tls { Scheme::Https } else { Scheme::Http };
    let set = request.set_method(&method).and_then(|()| request.set_scheme(Some(&scheme)));
    let set = set.and_then(|()| request.set_authority(Some(target.authority)));
    let set = set.and_then(|()| request.set_path_with_query(Some(&target.path)));
    set.map_err(|()| invalid(format!("`{}{}` is no host, port and path", target.authority, target.path)))?;
    let body = request.body().map_err(|()| failed("the request has no body".to_owned()))?;
    let future = handle(request, None).map_err(|code| refused(&code, target))?;
    if let Some(text) = &input.body {
        let stream = body.write().map_err(|()| failed("the request has no body".to_owned()))?;
        for part in text.as_bytes().chunks(WRITE_BYTES_MAX) {
            // Who answers before it has read all is heard anyway.
            if stream.blocking_write_and_flush(part).is_err() {
                return Ok(future);
            }
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| refused(&code, target))?;
    Ok(future)
}

fn wait(future: &FutureIncomingResponse, target: &Target<'_>) -> Result<IncomingResponse, SkillError> {
    loop {
        match future.get() {
            Some(Ok(response)) => return response.map_err(|code| refused(&code, target)),
            Some(Err(())) => return Err(failed("the answer was taken before".to_owned())),
            None => future.subscribe().block(),
        }
    }
}

fn body(response: &IncomingResponse, most: usize) -> Result<Vec<u8>, SkillError> {
    let lost = || failed("the answer has no body to read".to_owned());
    let body = response.consume().map_err(|()| lost())?;
    let stream = body.stream().map_err(|()| lost())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES_MAX) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                let code = code.map_or_else(|| "no reason".to_owned(), |code| format!("{code:?}"));
                return Err(failed(format!("the body broke off after {} bytes: {code}", bytes.len())));
            }
        }
        if bytes.len() > most {
            return Err(failed(format!("the body has more than {most} bytes")));
        }
    }
}

/// Why there was no answer, in words that say what to do.
fn refused(code: &ErrorCode, target: &Target<'_>) -> SkillError {
    let to = target.authority;
    match code {
        ErrorCode::HttpRequestDenied => failed(format!(
            "the skill was not granted this request to `{to}`: its host, port, method, or to go without TLS"
        )),
        ErrorCode::DestinationIpProhibited => {
            failed(format!("`{to}` is at an address that is not on the public internet, which was not granted"))
        }
        ErrorCode::HttpRequestUriInvalid => invalid(format!("`{to}` is no host and port as URLs have them")),
        code => failed(format!("no answer from `{to}`: {code:?}")),
    }
}

fn failed(why: String) -> SkillError {
    SkillError::Failed(why)
}

fn invalid(why: String) -> SkillError {
    SkillError::InvalidInput(why)
}
