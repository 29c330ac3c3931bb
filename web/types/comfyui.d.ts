/** The part of ComfyUI's frontend that these modules use. Types only: nothing here reaches the browser. */

export interface ComfyWidget {
  name: string;
  value?: any;
  serialize?: boolean;
  options: { advanced?: boolean };
  /** Folded away until the person wants it, in the classic canvas. */
  advanced?: boolean;
  callback?: (...values: any[]) => any;
}

export interface ComfySlot {
  name: string;
  type: string | number;
  widget?: { name: string };
}

export interface ComfyLink {
  origin_id: string | number;
  origin_slot: number;
  target_id: string | number;
  target_slot: number;
}

export interface ComfyGraph {
  id: string;
  rootGraph?: ComfyGraph;
  subgraphs?: Map<string, ComfyGraph>;
  nodes?: ComfyNode[];
  getNodeById(id: string | number): ComfyNode | null | undefined;
  /** Of a subgraph. */
  inputs?: { name: string }[];
  links: Map<unknown, ComfyLink>;
  add(node: ComfyNode): unknown;
  beforeChange(): void;
  afterChange(): void;
  setDirtyCanvas(foreground: boolean, background?: boolean): void;
}

export interface ComfyNode {
  id: string | number;
  comfyClass?: string;
  type?: string;
  properties?: Record<string, any>;
  title: string;
  /** 0: it runs; 2: muted; 4: bypassed. */
  mode: number;
  graph?: ComfyGraph | null;
  subgraph?: ComfyGraph;
  pos: [number, number];
  size: [number, number];
  widgets?: ComfyWidget[];
  inputs?: ComfySlot[];
  outputs?: ComfySlot[];
  bgcolor?: string;
  onConnectionsChange?: (this: ComfyNode, ...change: any[]) => void;
  /** Whether advanced widgets are shown; saved in the workflow. */
  showAdvanced?: boolean;
  toggleAdvanced?: () => void;
  getLayoutWidgets?: () => ComfyWidget[];
  isWidgetVisible?: (widget: ComfyWidget) => boolean;
  onConfigure?: (this: ComfyNode, info: Record<string, any>) => void;
  onDrawBackground?: (this: ComfyNode, context: any) => void;
  onExecuted?: (this: ComfyNode, output: Record<string, any>) => void;
  onRemoved?: (this: ComfyNode) => void;
  /** Of a subgraph's node: something else. */
  getInputLink(slot: number): ComfyLink | null | undefined;
  isOutputConnected(slot: number): boolean;
  getBounding(): ArrayLike<number> & Iterable<number>;
  connect(slot: number, target: ComfyNode, targetSlot: number): unknown;
  computeSize(): [number, number];
  setSize(size: [number, number]): void;
  addDOMWidget(
    name: string,
    type: string,
    element: HTMLElement,
    options: {
      serialize: boolean;
      hideOnZoom: boolean;
      hideInPanel?: boolean;
      getMinHeight?: () => number;
      getMaxHeight?: () => number;
      getValue: () => unknown;
      setValue: (value: unknown) => void;
    },
  ): ComfyWidget;
}

export interface SettingDefinition {
  id: string;
  name: string;
  type: string;
  defaultValue: unknown;
  category?: string[];
  tooltip?: string;
  options?: { text: string; value: string }[];
  attrs?: Record<string, unknown>;
  sortOrder?: number;
  onChange?: (value: any, before?: any) => void;
}

export interface ToastMessage {
  severity: "success" | "info" | "warn" | "error";
  summary: string;
  detail?: string;
  life?: number;
}

export interface SidebarTab {
  id: string;
  icon: string;
  iconBadge?: string | null;
  title: string;
  tooltip?: string;
  type: "custom";
  render(container: HTMLElement): void;
  destroy?(): void;
}

export interface ComfyExtension {
  name: string;
  settings?: SettingDefinition[];
  commands?: {
    id: string;
    label: string;
    menubarLabel?: string;
    icon?: string;
    function: () => unknown;
  }[];
  menuCommands?: { path: string[]; commands: string[] }[];
  keybindings?: {
    commandId: string;
    combo: { key: string; ctrl?: boolean; alt?: boolean; shift?: boolean };
  }[];
  init?(): Promise<void> | void;
  setup?(): Promise<void> | void;
  nodeCreated?(node: ComfyNode): void;
  getNodeMenuItems?(node: ComfyNode): ({ content: string; callback: () => void } | null)[];
  afterConfigureGraph?(): void;
  onNodeOutputsUpdated?(outputs: Record<string, Record<string, any>>): void;
}

export interface ComfyApp {
  rootGraph: ComfyGraph;
  canvas: {
    canvas: HTMLCanvasElement;
    ds: { scale: number; offset: [number, number] };
    setDirty(foreground: boolean, background?: boolean): void;
  };
  /** What a run would send, in API form; nodes in subgraphs are called `"5:2"`. */
  graphToPrompt(): Promise<{ output: Record<string, object>; workflow: object }>;
  loadGraphData(workflow: object, clean?: boolean, restoreView?: boolean, name?: string): Promise<unknown>;
  registerExtension(extension: ComfyExtension): void;
  extensionManager: {
    setting: { get(id: string): any; set(id: string, value: unknown): Promise<void> };
    toast: { add(message: ToastMessage): void };
    command: { execute(id: string): Promise<void> };
    dialog: {
      confirm(options: { title: string; message: string; type: "default" | "delete" }): Promise<boolean | null>;
    };
    registerSidebarTab(tab: SidebarTab): void;
    getSidebarTabs?(): SidebarTab[];
  };
}

export interface ComfyApi {
  fetchApi(path: string, options?: RequestInit): Promise<Response>;
  apiURL(path: string): string;
  /** Queues what `graphToPrompt` gives; 0: behind the others. */
  queuePrompt(number: number, prompt: { output: Record<string, object>; workflow: object }): Promise<object>;
  clientId?: string;
  addEventListener(event: string, listener: (event: CustomEvent) => void, options?: AddEventListenerOptions): void;
  addCustomEventListener(event: string, listener: (event: CustomEvent) => void): void;
}

declare global {
  interface Window {
    comfyAPI?: unknown;
    LiteGraph: {
      NODE_DEFAULT_BGCOLOR: string;
      vueNodesMode: boolean;
      createNode(type: string): ComfyNode | null;
    };
  }
}
