//! The MCP server: what it says of itself, and which part answers each request.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskMethod, CancelTaskParams, CustomRequest,
        CustomResult, ErrorCode, ExtensionCapabilities, GetPromptRequestParams, GetPromptResponse,
        GetTaskMethod, GetTaskParams, GetTaskResult, Implementation, InitializeRequestParams,
        InitializeResult, JsonObject, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
        UpdateTaskMethod, UpdateTaskParams,
    },
    service::{RequestContext, SubscriptionContext},
};

use crate::{
    delivery::{
        channel, custom, progress,
        resources::Resources,
        tasks,
        transport::{Ledger, unanswered},
    },
    driver::{Client, DriverHandle},
    instructions::instructions,
    prompt, render, schema,
    session::{Answer, CallId, Request, TaskRequest},
    tools,
};

/// The handler of one client.
#[derive(Debug)]
pub(crate) struct Handler {
    driver: DriverHandle,
    ledger: Ledger,
    calls: AtomicU64,
    tools: Arc<Vec<Tool>>,
    resources: Resources,
    has_channel: bool,
}

impl Handler {
    pub(crate) fn new(
        driver: DriverHandle,
        ledger: Ledger,
        resources: Resources,
        has_channel: bool,
    ) -> Self {
        let (calls, tools) = (AtomicU64::new(0), Arc::new(schema::tools()));
        Self { driver, ledger, calls, tools, resources, has_channel }
    }

    /// The number of this request, unless it was cancelled or shares its id.
    async fn enter(&self, context: &RequestContext<RoleServer>) -> Option<CallId> {
        let call = CallId(self.calls.fetch_add(1, Ordering::Relaxed));
        self.ledger.enter(&context.id, call).await.then_some(call)
    }

    async fn call(
        &self,
        mut request: Request,
        context: &RequestContext<RoleServer>,
    ) -> Option<Answer> {
        let call = self.enter(context).await?;
        let takes_tasks = tasks::are_taken(context);
        let mut waits = false;
        if let Request::WaitForEvents { task, .. } = &mut request {
            *task = takes_tasks;
            waits = true;
        }
        let client = Client { audience: custom::audience(context, self.has_channel), takes_tasks };
        let reply = self.driver.call(call, request, client);
        if !waits {
            return reply.await;
        }
        tokio::select! {
            reply = reply => reply,
            never = progress::report(context, &self.driver, call) => match never {},
        }
    }

    async fn task(
        &self,
        request: TaskRequest,
        context: &RequestContext<RoleServer>,
    ) -> Result<Answer, ErrorData> {
        let call = self.enter(context).await.ok_or_else(unanswered)?;
        match self.driver.task(call, request).await.ok_or_else(unanswered)? {
            Answer::UnknownTask => Err(tasks::unknown()),
            answer @ (Answer::Result(_) | Answer::Task(_) | Answer::Noted) => Ok(answer),
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut extensions = ExtensionCapabilities::new();
        extensions.insert(custom::EXTENSION.to_owned(), JsonObject::new());
        let mut capabilities = ServerCapabilities::builder()
            .enable_extensions_with(extensions)
            .enable_prompts()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tasks()
            .enable_tools()
            .build();
        if self.has_channel {
            let channel = (channel::CAPABILITY.to_owned(), JsonObject::new());
            capabilities.experimental = Some([channel].into());
        }
        let mut implementation = Implementation::new("mcp-chat", env!("CARGO_PKG_VERSION"));
        implementation.title = Some("mcp-chat".to_owned());
        implementation.description = Some("Chat with a random other person who waits".to_owned());
        ServerConfig::new(capabilities)
            .with_server_info(implementation)
            .with_instructions(instructions(self.has_channel))
    }

    /// A channel needs a session.
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(if self.has_channel {
            ProtocolVersion::known_up_to(&ProtocolVersion::LATEST_WITH_INITIALIZE)
        } else {
            ProtocolVersion::KNOWN_VERSIONS
        })
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request).map(tasks::without)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![prompt::prompt()]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompt::get(&request.name, request.arguments.as_ref()).map(Into::into)
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(self.resources.list(&context))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(Resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.resources.read(&request.uri).await.map(Into::into)
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.resources.subscribe(&request.uri, &context)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.resources.unsubscribe(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(self.resources.accepted(requested))
    }

    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        self.resources.listen(&stream).await
    }

    /// What the SDK could not take for any request that it knows.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if let Some(what) = wanted_params(&request.method, tasks::is_stateless(&context)) {
            return Err(ErrorData::invalid_params(what, None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(parsed) = tools::parse(&request.name, request.arguments.unwrap_or_default())
        else {
            let known = schema::NAMES.join(", ");
            return Err(ErrorData::invalid_params(
                format!("there is no such tool; the tools are {known}"),
                None,
            ));
        };
        match self.call(parsed, &context).await {
            Some(Answer::Result(reply)) => Ok(render::result(&reply, render::text(&reply)).into()),
            Some(Answer::Task(task)) => Ok(tasks::begun(&task).into()),
            Some(Answer::Noted | Answer::UnknownTask) | None => Err(unanswered()),
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::check::<GetTaskMethod>(&context)?;
        match self.task(TaskRequest::Get(request.task_id), &context).await? {
            Answer::Task(task) => Ok(tasks::state(*task)),
            Answer::Result(_) | Answer::Noted | Answer::UnknownTask => Err(unanswered()),
        }
    }

    /// No task asks its client for anything: whatever is told is acknowledged and passed over.
    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::check::<UpdateTaskMethod>(&context)?;
        self.task(TaskRequest::Update(request.task_id), &context).await.map(drop)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::check::<CancelTaskMethod>(&context)?;
        self.task(TaskRequest::Cancel(request.task_id), &context).await.map(drop)
    }
}

/// What is wrong with the params of a method that this server has in this era, if the SDK did not
/// take them.
fn wanted_params(method: &str, is_stateless: bool) -> Option<&'static str> {
    Some(match method {
        "tools/call" => "`name` must be a string, and `arguments` an object or absent",
        "prompts/get" => "`name` must be a string, and `arguments` an object of strings or absent",
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
            "`cursor` must be a string or absent"
        }
        "resources/read" => "`uri` must be a string",
        "resources/subscribe" | "resources/unsubscribe" if !is_stateless => {
            "`uri` must be a string"
        }
        "subscriptions/listen" if is_stateless => "`notifications` must be an object",
        "tasks/get" | "tasks/update" | "tasks/cancel" if is_stateless => {
            "`taskId` must be a string"
        }
        _ => return None,
    })
}
