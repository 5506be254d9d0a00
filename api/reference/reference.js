// The reference of the HTTP API, drawn from the schema that the gateway serves.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true, tryItOutEnabled: true });
