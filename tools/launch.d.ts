export declare const NOT_INSTALLED: 78
export declare const toolsDir: string
export declare const rootDir: string
export declare const COMPILE_CACHE: string
export declare function bundledNode(): string | undefined
export declare function platformNode(): string
export declare function launch(entry: string): Promise<void>
export declare function installed(): boolean
