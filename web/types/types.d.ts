/**
 * The shapes that our own modules hand one another, known in all of them. Types only: nothing here reaches the
 * browser.
 */

type ComfyNode = import("./comfyui").ComfyNode;
type ComfyGraph = import("./comfyui").ComfyGraph;
type SettingDefinition = import("./comfyui").SettingDefinition;
type Server = import("../lib/api_client.mjs").Server;

/** What the server sends, as its OpenAPI description tells. */
type Json = Record<string, any>;

/**
 * Says a text of `locales/` in the person's language. An error is told by its message, in this language too where
 * the server gave the message's parts; so are parts.
 */
type Say = (key: string, values?: Record<string, unknown>) => string;

// --- rounds and verdicts

type Verdict = "selected" | "rejected" | null;

interface RoundImage {
  /** Position in the generation, which is what the server calls the image. */
  index: number;
  checkpoint: string;
  /** Empty where ComfyUI kept no file of the image. */
  filename: string;
  subfolder: string;
  /** ComfyUI's folder type: "output", "temp" or "input". */
  type: string;
  verdict: Verdict;
}

interface Round {
  /** Empty where nothing could be logged, and so nothing can be judged. */
  generationId: string;
  images: RoundImage[];
  explanation: string;
  /** What the node wants the person to know, for instance that logging failed. */
  message: string;
  /** The same, for `say`. */
  said: unknown;
}

interface GalleryParts {
  say: Say;
  save: (body: object) => Promise<unknown>;
  imageUrl: (image: RoundImage, generationId: string, full?: boolean) => string;
  /** Whether names are hidden until an image is judged. */
  blind: () => boolean;
  /** Told of a verdict not saved whose list nobody sees any more. */
  lost: (error: unknown) => void;
  /** Called after the gallery became longer or shorter. */
  resized: () => void;
  /** Called after each change of the verdict. */
  judged: () => void;
  /** The person wants a workflow that waits to go on. */
  goOn: () => void;
}

/** What looks at the images of a gallery in full size. */
interface Looked {
  say: Say;
  count: number;
  url: (place: number) => string;
  label: (place: number) => string;
  verdict: (place: number) => Verdict;
  judge: (place: number, verdict: "selected" | "rejected") => void;
  undo: () => void;
  /** Told where the person was last. */
  closed: (place: number) => void;
}

/** A run that waits, as `GET pending` lists it. */
interface WaitingPick {
  id: string;
  waits_until: string | null;
}

// --- plans

interface Plan {
  /** Best first. */
  checkpoints: string[];
  strategy: string;
  /** In English. */
  explanation: string;
  /** What it is built of; null where an older server said it. */
  parts: Json | null;
  fallback: boolean;
  /** These three are in 0..1. */
  confidence: number;
  evidence: number;
  clarity: number;
}

interface PlanParts {
  say: Say;
  /** Called after the view became longer or shorter. */
  resized: () => void;
  /** What would be recommended now; without it there are no buttons. */
  preview?: () => Promise<Json>;
  /** Why that would be recommended. */
  explain?: () => Promise<Json>;
  askLabel?: string;
  /** What to say before there is a plan. */
  emptyNote?: string;
}

// --- the panel

interface PanelParts {
  say: Say;
  server: Server;
  /** Whether checkpoint files and kept loaders are known. */
  inComfyUI: boolean;
  /** Null where no image can be had. */
  imageUrl: GalleryParts["imageUrl"] | null;
  blind: () => boolean;
  /** Answers with all settings. */
  changeSettings: (changes: object) => Promise<Record<string, unknown>>;
  releaseLoaders: () => void;
  /** Asks before what cannot be undone. */
  confirm: (title: string, question: string) => Promise<boolean>;
  /** Told of a verdict that was not saved and that nobody sees any more. */
  lost: (error: unknown) => void;
  /** What the overview tells, where it was asked already. */
  overview?: Promise<Json>;
  lastTab: { recall: () => string; keep: (tab: string) => void };
}

interface Tab {
  name: string;
  title: string;
  make: () => Shown;
}

interface Shown {
  element: HTMLElement;
  show: () => void;
  hide?: () => void;
}

interface Column<Row> {
  key: string;
  title: string;
  help?: string;
  /** Set to the right, and sorted the most first at a first press. */
  numeric?: boolean;
  cell: (row: Row) => Node | string;
}

interface Order {
  key: string;
  descending: boolean;
}

interface TableParts<Row> {
  /** For screen readers. */
  caption: string;
  /** The first one names the row. */
  columns: Column<Row>[];
  order: Order;
  sorted: (order: Order) => void;
  /** What to say without rows. */
  none: string;
  /** What a row unfolds to. */
  details?: { label: (row: Row) => string; show: (row: Row) => Node };
}

/** Sums over neighbouring rounds, as the server tells them. */
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

/** Of the rounds `from` to `to`, from 1. */
interface Share {
  from: number;
  to: number;
  value: number | null;
}
