declare module "*/scripts/app.js" {
  export const app: import("./comfyui").ComfyApp;
}
declare module "*/scripts/api.js" {
  export const api: import("./comfyui").ComfyApi;
}
