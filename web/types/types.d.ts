/** The types of the values that our modules pass to one another, known in all of them. Nothing here reaches the browser. */

type ComfyNode = import("./comfyui").ComfyNode;
type ComfyGraph = import("./comfyui").ComfyGraph;
type SettingDefinition = import("./comfyui").SettingDefinition;
type Server = import("../lib/api_client.mjs").Server;

/** What the server sends; its OpenAPI description has the details. */
type Json = Record<string, any>;

/**
 * Returns a text of `locales/` in the person's language. A value that is an error, or the parts of a message, is
 * translated too, as far as the server gave its parts.
 */
type Translate = (key: string, values?: Record<string, unknown>) => string;

type Toast = (severity: "success" | "info" | "warn" | "error", summary: string, detail?: unknown) => void;

// --- what a loader's image is made from

interface GraphText {
  text: string;
  /** The inputs by which it comes into its text encoders, with the nodes' ids in a run. */
  entries: { node: string; input: string }[];
}

interface GraphReading {
  /** The file that the loader is set to. */
  model: string | null;
  /** Its architecture; empty where it is not known. */
  family: string;
  positive: GraphText | null;
  unclear: { field: string; parts: Json[] }[];
}

// --- generations and verdicts

type Verdict = "selected" | "rejected" | null;

interface GalleryImage {
  /** Position in the generation, by which the server identifies the image. */
  index: number;
  checkpoint: string;
  /** Empty where ComfyUI has no file of the image. */
  filename: string;
  subfolder: string;
  /** ComfyUI's folder type: "output", "temp" or "input". */
  type: string;
  verdict: Verdict;
}

interface Generation {
  /** Empty where the generation could not be logged, and so cannot be judged. */
  generationId: string;
  images: GalleryImage[];
  /** What the node reports, for instance that logging failed. */
  message: string;
  /** The parts of the message, for its translation; the text itself where there are none. */
  messageParts: unknown;
}

interface GalleryOptions {
  t: Translate;
  save: (body: object) => Promise<unknown>;
  imageUrl: (image: GalleryImage, generationId: string, full?: boolean) => string;
  /** Whether names are hidden until an image is judged. */
  isBlind: () => boolean;
  /** Called when a verdict was not saved and its gallery is no longer on the page. */
  onVerdictLost: (error: unknown) => void;
  /** Called after the gallery's height has changed. */
  onResize: () => void;
  /** Called after each change of the verdict. */
  onJudged: () => void;
  /** Called when the person lets a waiting workflow continue by key. */
  onContinue: () => void;
  /** Short names of the checkpoints of all generations that are shown together; those of its own where it is alone. */
  short?: Map<string, string>;
}

/** What the full-size view needs of its gallery. */
interface ZoomOptions {
  t: Translate;
  count: number;
  url: (place: number) => string;
  label: (place: number) => string;
  verdict: (place: number) => Verdict;
  judge: (place: number, verdict: "selected" | "rejected") => void;
  undo: () => void;
  /** Called with the place of the image that was shown last. */
  onClose: (place: number) => void;
}

/** A run that waits, as `GET pending` lists it. */
interface WaitingPick {
  id: string;
  node_id: string;
  /** The frontend's; empty for a prompt that a script queued. */
  workflow_id: string;
  rounds: Json[];
  waits_until: string | null;
}

// --- plans

interface Plan {
  /** Best first. */
  checkpoints: string[];
  strategy: string;
  /** In English. */
  explanation: string;
  /** What the explanation consists of; null from an older server. */
  parts: Json | null;
  /** What each of the checkpoints is drawn with; empty from an older server. */
  branches: Json[];
  /** How far it is to one checkpoint alone; null where verdicts do not decide that, and from an older server. */
  progress: Json | null;
  fallback: boolean;
  /** These three are in 0..1. */
  confidence: number;
  evidence: number;
  clarity: number;
}

interface PlanOptions {
  t: Translate;
  /** Called after the view's height has changed. */
  onResize: () => void;
  /** Requests the plan for the present inputs; without it there are no buttons. */
  preview?: () => Promise<Json>;
  /** Requests the reasons for that plan. */
  explain?: () => Promise<Json>;
  /** Requests the words that the negative prompt lacks. */
  suggest?: () => Promise<Json[]>;
  /** Adds one of them; returns what was done, to be shown. */
  addWord?: (word: string) => Promise<string>;
  /** Makes images with one checkpoint of the plan; without it there is no button. */
  run?: (checkpoint: string) => Promise<void>;
  previewLabel?: string;
  /** Whether the buttons stand above the plan. */
  actionsFirst?: boolean;
  /** Shown before there is a plan. */
  emptyNote?: string;
}

// --- the panel

interface PanelOptions {
  t: Translate;
  server: Server;
  waiting: import("../recorder/waiting_runs.mjs").WaitingRuns;
  /** Whether checkpoint files and kept loaders are known. */
  inComfyUI: boolean;
  /** Null where images cannot be shown. */
  imageUrl: GalleryOptions["imageUrl"] | null;
  isBlind: () => boolean;
  /** Returns all settings. */
  changeSettings: (changes: object) => Promise<Record<string, unknown>>;
  releaseLoaders: () => void;
  /** Queues the open workflow once with a prompt and one checkpoint; not there where there is no workflow. */
  runWith?: (prompt: string, checkpoint: string) => Promise<void>;
  /** Asks before what cannot be undone. */
  confirm: (title: string, question: string, type?: "default" | "delete") => Promise<boolean>;
  /** Called when a verdict was not saved and its gallery is no longer on the page. */
  onVerdictLost: (error: unknown) => void;
  /** What opens the examples; without it there is no guide to start with. */
  workflows?: import("../comfy/examples.mjs").Workflows & {
    loadGuide: () => Promise<typeof import("../panel/start.mjs")>;
  };
  /** The overview's data, where it was requested before the panel was loaded. */
  overview?: Promise<Json>;
  lastTab: { load: () => string; save: (tab: string) => void };
}

interface Tab {
  name: string;
  title: string;
  create: () => TabView;
}

interface TabView {
  element: HTMLElement;
  show: () => void;
  hide?: () => void;
}

interface Column<Row> {
  key: string;
  title: string;
  help?: string;
  /** Aligned to the right, and sorted in descending order at the first press. */
  numeric?: boolean;
  cell: (row: Row) => Node | string;
}

interface Order {
  key: string;
  descending: boolean;
}

interface TableOptions<Row> {
  /** For screen readers. */
  caption: string;
  /** The first one names the row. */
  columns: Column<Row>[];
  order: Order;
  onSort: (order: Order) => void;
  /** Shown without rows. */
  emptyNote: string;
  /** What an expanded row shows. */
  details?: { label: (row: Row) => string; show: (row: Row) => Node };
}

/** The server's sums over consecutive generations. */
interface Point {
  generations: number;
  judged: number;
  agreed: number;
  exploited: number;
  images: number;
  images_saved: number;
  confidence: number;
  first_at: string;
  last_at: string;
}

/** The share of the generations `from` to `to`, counted from 1. */
interface Share {
  from: number;
  to: number;
  value: number | null;
}
