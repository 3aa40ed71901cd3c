// The queue of this browser tab.
import { uploadComponent } from '../../api/components';
import { keys, queryClient } from '../../api/queries';
import type { Component } from '../../api/schema';
import { UploadQueue } from './upload-queue';

const inLibrary = () => new Set(queryClient.getQueryData<Component[]>(keys.components)?.map((one) => one.digest));

export const uploads = new UploadQueue(uploadComponent, inLibrary);
