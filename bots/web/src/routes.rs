//! All paths and what answers them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use crate::app::App;
use crate::fault::Fault;
use crate::{api, around, operation, page};

/// All paths, in the order of the description in `openapi.json`.
pub const PATHS: [&str; 9] =
    ["/", "/v1/suggest", "/v1/tags", "/v1/songs", "/go/{token}", "/healthz", "/readyz", "/metrics", "/openapi.json"];

/// The name of the route that a path belongs to, for logs and counters; `other` if there is none.
pub(crate) fn name_of(path: &str) -> &'static str {
    let is_name = |name: &&&str| match name.strip_suffix("{token}") {
        Some(start) => path.starts_with(start),
        None => path == **name,
    };
    PATHS.iter().find(is_name).copied().unwrap_or("other")
}

fn handler_of(path: &str) -> MethodRouter<Arc<App>> {
    match path {
        "/" => get(page::show).post(page::answer),
        "/v1/suggest" => post(api::suggest),
        "/v1/tags" => post(api::tags),
        "/v1/songs" => get(api::songs),
        "/go/{token}" => get(operation::go),
        "/healthz" => get(operation::healthz),
        "/readyz" => get(operation::readyz),
        "/metrics" => get(operation::metrics),
        "/openapi.json" => get(operation::openapi),
        _ => MethodRouter::new(),
    }
}

/// The router over all paths.
pub(crate) fn router(app: Arc<App>) -> Router {
    let max_bytes = usize::try_from(app.options.max_request_bytes).unwrap_or(usize::MAX);
    PATHS
        .iter()
        .fold(Router::new(), |router, path| router.route(path, handler_of(path)))
        .fallback(async || Fault::NotFound)
        .method_not_allowed_fallback(async || Fault::Method)
        .layer(DefaultBodyLimit::max(max_bytes))
        .layer(from_fn_with_state(app.clone(), around::observe))
        .with_state(app)
}
