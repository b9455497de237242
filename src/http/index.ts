/** The HTTP_Listener: requests on pipes of the world, who may make them, and the routes that serve them. */

export * from './answer.ts';
export { type ApiKey, ApiKeyError, ApiKeyFile } from './api-key-file.ts';
export { ApiKeys } from './api-keys.ts';
export { CODES, type Code } from './codes.ts';
export { type Credentials, noCredentials } from './credentials.ts';
export { GRANTS, type Grant, isGrant, type Principal } from './grants.ts';
export { type Json, openApiDocument } from './openapi.ts';
export { apiKeyFile, httpOptions } from './options.ts';
export { outOfRoom, type Pressure } from './pressure.ts';
export { type Access, type Call, type Method, type Route, type RouteSpec, route } from './route.ts';
export { type HttpParts, type HttpServer, httpServer } from './server.ts';
export type { HttpSession } from './session.ts';
